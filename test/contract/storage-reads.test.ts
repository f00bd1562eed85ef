import { buffer } from 'node:stream/consumers'
import { describe, expect } from 'vitest'
import { bytes, codeOf, namesIn, objectPath, test } from './storage-target.ts'

describe('a missing object', () => {
  test('J01 has no metadata: 404 notFound', async ({ bucket, storage }) => {
    const answer = await storage.http(objectPath(bucket.name, 'none'))

    expect(answer.status).toBe(404)
    expect(await answer.json()).toEqual({
      error: {
        code: 404,
        message: expect.any(String),
        errors: [{ message: expect.any(String), domain: 'global', reason: 'notFound' }],
      },
    })
    expect(await codeOf(bucket.file('none').getMetadata())).toBe(404)
  })

  test('J02 does not exist', async ({ bucket }) => {
    expect(await bucket.file('none').exists()).toEqual([false])
  })

  test('J03 J04 is 404 as a download and as a stream', async ({ bucket }) => {
    expect(await codeOf(bucket.file('none').download())).toBe(404)
    expect(await codeOf(buffer(bucket.file('none').createReadStream()))).toBe(404)
  })
})

describe('a range', () => {
  test.for([
    { id: 'J05', range: 'bytes=0-3', status: 206, text: '0123', contentRange: 'bytes 0-3/10' },
    { id: 'J06', range: 'bytes=7-', status: 206, text: '789', contentRange: 'bytes 7-9/10' },
    { id: 'J07', range: 'bytes=-4', status: 206, text: '6789', contentRange: 'bytes 6-9/10' },
    {
      id: 'J07',
      range: 'bytes=-99',
      status: 206,
      text: '0123456789',
      contentRange: 'bytes 0-9/10',
    },
    { id: 'J08', range: 'bytes=5-99', status: 206, text: '56789', contentRange: 'bytes 5-9/10' },
    { id: 'J08', range: 'lines=1-2', status: 200, text: '0123456789', contentRange: null },
    { id: 'J08', range: 'bytes=0-1,4-5', status: 200, text: '0123456789', contentRange: null },
  ])('$id $range is $status', async (row, { bucket, storage }) => {
    await bucket.file('digits').save('0123456789', { resumable: false })
    const path = `${objectPath(bucket.name, 'digits')}?alt=media`

    const answer = await storage.http(path, { headers: { Range: row.range } })

    expect(answer.status).toBe(row.status)
    expect(answer.headers.get('content-range')).toBe(row.contentRange)
    expect(await answer.text()).toBe(row.text)
  })

  test.for(
    ['bytes=10-', 'bytes=10-12', 'bytes=-0', 'bytes=5-3', 'bytes=a-b', 'bytes=-'].map((range) => ({
      range,
    })),
  )('J08 $range is 416 and names the size', async ({ range }, { bucket, storage }) => {
    await bucket.file('digits').save('0123456789', { resumable: false })
    const path = `${objectPath(bucket.name, 'digits')}?alt=media`

    const answer = await storage.http(path, { headers: { Range: range } })

    expect(answer.status).toBe(416)
    expect(answer.headers.get('content-range')).toBe('bytes */10')
  })

  test('J12 of the SDK: start, end and both', async ({ bucket }) => {
    const file = bucket.file('digits')
    await file.save('0123456789', { resumable: false })
    const read = async (options: { start?: number; end?: number }) =>
      (await buffer(file.createReadStream(options))).toString()

    expect(await read({ start: 2, end: 4 })).toBe('234')
    expect(await read({ start: 8 })).toBe('89')
    expect(await read({ end: 1 })).toBe('01')
    expect(await read({ end: -3 })).toBe('789')
  })
})

test('J12 the SDK checks the CRC32C of what it downloads', async ({ bucket }) => {
  const content = bytes(300_000)
  const file = bucket.file('checked')
  await file.save(content, { resumable: false })

  const [crc32c] = await file.download({ validation: 'crc32c' })
  const [md5] = await file.download({ validation: 'md5' })

  expect(crc32c.equals(content)).toBe(true)
  expect(md5.equals(content)).toBe(true)
})

test('J09 content comes with all headers', async ({ bucket, storage }) => {
  const file = bucket.file('headers')
  const metadata = { cacheControl: 'private', contentDisposition: 'inline; filename="ü.txt"' }
  await file.save('hello', { resumable: false, contentType: 'text/plain', metadata })
  const [{ generation, etag }] = await file.getMetadata()

  const { headers } = await storage.http(`${objectPath(bucket.name, 'headers')}?alt=media`)

  expect(Object.fromEntries(headers)).toMatchObject({
    'accept-ranges': 'bytes',
    'cache-control': 'private',
    'content-length': '5',
    'content-type': 'text/plain',
    etag,
    'x-goog-generation': generation,
    'x-goog-hash': 'crc32c=mnG7TA==,md5=XUFAKrxLKna5cZ2REBfFkg==',
    'x-goog-metageneration': '1',
    'x-goog-stored-content-length': '5',
  })
  const disposition = Buffer.from(headers.get('content-disposition') ?? '', 'latin1')
  expect(disposition.toString('utf8')).toBe(metadata.contentDisposition)
})

test('J09 a reader that has this version gets 304', async ({ bucket, storage }) => {
  await bucket.file('cached').save('hello', { resumable: false })
  const path = `${objectPath(bucket.name, 'cached')}?alt=media`
  const etag = (await storage.http(path)).headers.get('etag') ?? ''

  const answer = await storage.http(path, { headers: { 'If-None-Match': etag } })

  expect(answer.status).toBe(304)
})

test('J10 /download and the path without /storage/v1 give the content, too', async ({
  bucket,
  storage,
}) => {
  await bucket.file('a/b').save('hello', { resumable: false })
  const path = objectPath(bucket.name, 'a/b')

  const download = await storage.http(`/download${path}`)
  const bare = await storage.http(`${path.replace('/storage/v1', '')}?alt=media`)
  const [{ mediaLink }] = await bucket.file('a/b').getMetadata()

  expect(await download.text()).toBe('hello')
  expect(await bare.text()).toBe('hello')
  expect(await (await fetch(mediaLink ?? '')).text()).toBe('hello')
})

test('J11 a reader that goes away harms nobody', async ({ bucket, storage }) => {
  await bucket.file('large').save(bytes(5_000_000), { resumable: false, validation: false })
  const answer = await storage.http(`${objectPath(bucket.name, 'large')}?alt=media`)
  const reader = answer.body?.getReader()
  await reader?.read()

  await reader?.cancel()

  expect(await namesIn(bucket)).toEqual(['large'])
})

describe('a generation', () => {
  test('J09 the right one is read, another is 404', async ({ bucket }) => {
    await bucket.file('versions').save('1', { resumable: false })
    const old = Number((await bucket.file('versions').getMetadata())[0].generation)
    await bucket.file('versions').save('2', { resumable: false })
    const now = Number((await bucket.file('versions').getMetadata())[0].generation)

    const [content] = await bucket.file('versions', { generation: now }).download()

    expect(content.toString()).toBe('2')
    expect(await codeOf(bucket.file('versions', { generation: old }).download())).toBe(404)
  })

  test('J10 J11 conditions of a read: 304 and 412', async ({ bucket, storage }) => {
    await bucket.file('read').save('1', { resumable: false })
    const [{ generation }] = await bucket.file('read').getMetadata()
    const status = async (query: string) =>
      (await storage.http(`${objectPath(bucket.name, 'read')}?${query}`)).status

    expect(await status(`ifGenerationNotMatch=${generation}`)).toBe(304)
    expect(await status('ifMetagenerationNotMatch=1')).toBe(304)
    expect(await status('ifGenerationNotMatch=1')).toBe(200)
    expect(await status('ifMetagenerationMatch=2')).toBe(412)
    expect(await status('ifGenerationMatch=1')).toBe(412)
    expect(await status('ifGenerationMatch=x')).toBe(400)
  })
})
