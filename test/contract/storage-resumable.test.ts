import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { describe, expect } from 'vitest'
import {
  bytes,
  codeOf,
  insertPath,
  namesIn,
  objectPath,
  type StorageTarget,
  test,
} from './storage-target.ts'

const CHUNK = 256 * 1024

type Started = { readonly url: string; readonly status: number; readonly headers: Headers }

/** Starts a session by plain HTTP. */
async function start(
  storage: StorageTarget,
  bucket: string,
  headers: Record<string, string> = {},
  query = '',
): Promise<Started> {
  const path = insertPath(bucket, 'photo', 'resumable') + query
  const answer = await storage.http(path, { method: 'POST', headers })
  return {
    url: answer.headers.get('location') ?? '',
    status: answer.status,
    headers: answer.headers,
  }
}

const put = (url: string, range: string | undefined, body: Buffer = Buffer.alloc(0)) =>
  fetch(url, { method: 'PUT', headers: range ? { 'Content-Range': range } : {}, body })

describe('a resumable upload', () => {
  test('I01 starts with an address of its own', async ({ bucket, storage }) => {
    const session = await start(storage, bucket.name)

    expect(session.status).toBe(200)
    expect(session.url).toContain('upload_id=')
    expect(session.headers.get('x-guploader-uploadid')).toMatch(/^[0-9a-f]{64}$/)
  })

  test('I02 says where it stands: nothing stored has no Range', async ({ bucket, storage }) => {
    const { url } = await start(storage, bucket.name)

    const answer = await put(url, 'bytes */*')

    expect(answer.status).toBe(308)
    expect(answer.headers.get('range')).toBeNull()
    expect(answer.headers.get('location')).toBeNull()
  })

  test('I03 I14 takes chunks, and is not visible before the last one', async ({
    bucket,
    storage,
  }) => {
    const content = bytes(CHUNK + 1000)
    const { url } = await start(storage, bucket.name, { 'X-Upload-Content-Type': 'image/png' })

    const first = await put(url, `bytes 0-${CHUNK - 1}/*`, content.subarray(0, CHUNK))
    const asked = await put(url, 'bytes */*')
    const [early] = await bucket.file('photo').exists()
    const total = content.length
    const last = await put(url, `bytes ${CHUNK}-${total - 1}/${total}`, content.subarray(CHUNK))

    expect([first.status, first.headers.get('range')]).toEqual([308, 'bytes=0-262143'])
    expect([asked.status, asked.headers.get('range')]).toEqual([308, 'bytes=0-262143'])
    expect(early).toBe(false)
    expect(last.status).toBe(200)
    expect(await last.json()).toMatchObject({ size: String(total), contentType: 'image/png' })
    expect((await bucket.file('photo').download())[0].equals(content)).toBe(true)
  })

  test('I04 whole without a range', async ({ bucket, storage }) => {
    const content = bytes(5000)
    const { url } = await start(storage, bucket.name)

    const answer = await put(url, undefined, content)

    expect(await answer.json()).toMatchObject({ size: '5000' })
  })

  test('I05 short of its total waits for the rest', async ({ bucket, storage }) => {
    const { url } = await start(storage, bucket.name, { 'X-Upload-Content-Length': '100' })

    const short = await put(url, 'bytes 0-59/100', bytes(60))

    expect([short.status, short.headers.get('range')]).toEqual([308, 'bytes=0-59'])
    expect(await namesIn(bucket)).toEqual([])
  })

  test('I06 a gap is 503 and stores nothing', async ({ bucket, storage }) => {
    const { url } = await start(storage, bucket.name)

    const gap = await put(url, 'bytes 100-199/200', bytes(100))
    const asked = await put(url, 'bytes */*')

    expect(gap.status).toBe(503)
    expect([asked.status, asked.headers.get('range')]).toEqual([308, null])
  })

  test('I07 bytes sent again are skipped', async ({ bucket, storage }) => {
    const content = bytes(1000)
    const { url } = await start(storage, bucket.name)
    await put(url, 'bytes 0-599/*', content.subarray(0, 600))

    const answer = await put(url, 'bytes 200-999/1000', content.subarray(200))

    expect(answer.status).toBe(200)
    expect((await bucket.file('photo').download())[0].equals(content)).toBe(true)
  })

  test('I08 ends when it is cancelled', async ({ bucket, storage }) => {
    const { url } = await start(storage, bucket.name)
    await put(url, 'bytes 0-599/*', bytes(600))

    const cancelled = await fetch(url, { method: 'DELETE' })
    const later = await put(url, 'bytes */*')

    expect(cancelled.status).toBe(499)
    expect([404, 410]).toContain(later.status)
    expect(await namesIn(bucket)).toEqual([])
  })

  test('I09 an unknown id is 404', async ({ bucket, storage }) => {
    const path = `${insertPath(bucket.name, 'photo', 'resumable')}&upload_id=${'0'.repeat(64)}`

    const answer = await put(storage.server.url + path, 'bytes */*')

    expect(answer.status).toBe(404)
  })

  test.for(
    ['bytes', 'bytes 5-1/10', 'bytes 0-9/5', 'octets 0-1/2', 'bytes a-b/c', 'bytes -1-2/3'].map(
      (range) => ({ range }),
    ),
  )('I12 the range $range is 400', async ({ range }, { bucket, storage }) => {
    const { url } = await start(storage, bucket.name)

    expect((await put(url, range, bytes(10))).status).toBe(400)
  })

  test('I10 a name taken before the end is 412, and the first bytes stay', async ({
    bucket,
    storage,
  }) => {
    const { url } = await start(storage, bucket.name, {}, '&ifGenerationMatch=0')
    await bucket.file('photo').save('first', { resumable: false })

    const late = await put(url, 'bytes 0-9/10', bytes(10))
    const again = await put(url, 'bytes */10')

    expect([late.status, again.status]).toEqual([412, 412])
    expect((await bucket.file('photo').download())[0].toString()).toBe('first')
  })

  test('I10 a name taken before the start is 412 at once', async ({ bucket, storage }) => {
    await bucket.file('photo').save('first', { resumable: false })

    const session = await start(storage, bucket.name, {}, '&ifGenerationMatch=0')

    expect(session.status).toBe(412)
  })

  test('I11 goes on from Range after a cut in a chunk', async ({ bucket, storage }) => {
    const content = bytes(500_000)
    const { url } = await start(storage, bucket.name)
    await cutAfter(url, content, 300_000)
    let stored = 0
    await expect
      .poll(async () => {
        stored = nextByte(await put(url, 'bytes */500000'))
        return stored
      })
      .toBeGreaterThan(0)

    const answer = await put(url, `bytes ${stored}-499999/500000`, content.subarray(stored))

    expect(answer.status).toBe(200)
    expect((await bucket.file('photo').download())[0].equals(content)).toBe(true)
  })

  test('I13 the SDK makes the address and another client uses it', async ({ bucket }) => {
    const content = bytes(400_000)
    const file = bucket.file('photo')
    const [uri] = await file.createResumableUpload({ metadata: { contentType: 'image/avif' } })

    await file.save(content, { uri, resumable: true })

    expect((await file.getMetadata())[0]).toMatchObject({ contentType: 'image/avif' })
    expect((await file.download())[0].equals(content)).toBe(true)
  })

  test('asked after its end gives the object again', async ({ bucket, storage }) => {
    const { url } = await start(storage, bucket.name)
    const done = await put(url, 'bytes 0-9/10', bytes(10))

    const asked = await put(url, 'bytes */*')

    expect(asked.status).toBe(200)
    expect(await asked.json()).toEqual(await done.json())
  })
})

const nextByte = (answer: Response) => Number(answer.headers.get('range')?.split('-')[1] ?? -1) + 1

/** Sends the first bytes of a chunk and breaks the connection. */
async function cutAfter(url: string, content: Buffer, sent: number): Promise<void> {
  const upload = request(url, {
    method: 'PUT',
    headers: {
      'Content-Length': content.length,
      'Content-Range': `bytes 0-${content.length - 1}/${content.length}`,
    },
  })
  upload.on('error', () => undefined)
  await new Promise((resolve) => upload.write(content.subarray(0, sent), resolve))
  const closed = Promise.withResolvers<void>()
  upload.once('close', closed.resolve)
  upload.destroy()
  await closed.promise
}

describe('what a session was started with binds', () => {
  test('more bytes than the declared length are refused and not kept', async ({
    bucket,
    storage,
  }) => {
    const { url } = await start(storage, bucket.name, { 'X-Upload-Content-Length': '10' })

    const whole = await put(url, undefined, bytes(11))
    const ranged = await put(url, 'bytes 0-19/20', bytes(20))
    const asked = await put(url, 'bytes */*')

    expect([whole.status, ranged.status]).toEqual([400, 400])
    expect([asked.status, asked.headers.get('range')]).toEqual([308, null])
    expect(await namesIn(bucket)).toEqual([])
  })

  test('what a refused part had written counts for nothing, in the checksums neither', async ({
    bucket,
    storage,
  }) => {
    const content = bytes(1_000_000)
    const { url } = await start(storage, bucket.name)
    await put(url, 'bytes 0-299999/1000000', content.subarray(0, 300_000))

    const refused = await put(url, 'bytes 300000-569999/1000000', bytes(300_000))
    const rest = await put(url, 'bytes 300000-999999/1000000', content.subarray(300_000))

    expect([refused.status, rest.status]).toEqual([400, 200])
    const [kept] = await bucket.file('photo').download({ validation: 'crc32c' })
    expect(kept.equals(content)).toBe(true)
    const md5Hash = createHash('md5').update(content).digest('base64')
    expect((await bucket.file('photo').getMetadata())[0].md5Hash).toBe(md5Hash)
  })

  test('the declared type is the type, whatever the upload says', async ({ bucket, storage }) => {
    const { url } = await start(storage, bucket.name, {
      'X-Upload-Content-Type': 'image/jpeg',
      'X-Upload-Content-Length': '10',
    })

    await fetch(url, { method: 'PUT', headers: { 'Content-Type': 'text/html' }, body: bytes(10) })

    expect((await bucket.file('photo').getMetadata())[0].contentType).toBe('image/jpeg')
  })

  test('a body longer than its range is refused', async ({ bucket, storage }) => {
    const { url } = await start(storage, bucket.name)

    const answer = await put(url, 'bytes 0-9/100', bytes(50))

    expect(answer.status).toBe(400)
  })

  test('a wrong checksum at the end is refused, and asking does not bring the object', async ({
    bucket,
    storage,
  }) => {
    const { url } = await start(storage, bucket.name)

    const answer = await fetch(url, {
      method: 'PUT',
      headers: { 'X-Goog-Hash': 'crc32c=AAAAAA==' },
      body: bytes(10),
    })
    const asked = await put(url, 'bytes */10')

    expect([answer.status, asked.status]).toEqual([400, 404])
    expect(await namesIn(bucket)).toEqual([])
  })

  test('a bad declared length is refused at the start', async ({ bucket, storage }) => {
    const session = await start(storage, bucket.name, { 'X-Upload-Content-Length': 'many' })

    expect(session.status).toBe(400)
  })
})

test('a session answers CORS for the origin that started it, and no other', async ({
  bucket,
  storage,
}) => {
  const origin = 'https://app.example'
  const { url } = await start(storage, bucket.name, { Origin: origin })
  const from = (page: string) => ({ Origin: page, 'Content-Range': 'bytes */*' })

  const preflight = await fetch(url, {
    method: 'OPTIONS',
    headers: {
      Origin: origin,
      'Access-Control-Request-Method': 'PUT',
      'Access-Control-Request-Headers': 'content-range,content-type',
    },
  })
  const own = await fetch(url, { method: 'PUT', headers: from(origin) })
  const other = await fetch(url, { method: 'PUT', headers: from('https://evil.example') })

  expect(preflight.headers.get('access-control-allow-origin')).toBe(origin)
  expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT')
  expect(preflight.headers.get('access-control-allow-headers')).toBe('content-range,content-type')
  expect(own.headers.get('access-control-allow-origin')).toBe(origin)
  expect(own.headers.get('access-control-expose-headers')).toContain('Range')
  expect(other.headers.get('access-control-allow-origin')).toBeNull()
})

test('two requests on one session: the newest wins and the object is right', async ({
  bucket,
  storage,
}) => {
  const content = bytes(400_000)
  const { url } = await start(storage, bucket.name)
  const hanging = request(url, { method: 'PUT', headers: { 'Content-Length': content.length } })
  hanging.on('error', () => undefined)
  await new Promise((resolve) => hanging.write(content.subarray(0, 300_000), resolve))
  await expect.poll(async () => nextByte(await put(url, 'bytes */*'))).toBeGreaterThan(0)

  const answer = await put(url, undefined, content)

  expect(answer.status).toBe(200)
  expect((await bucket.file('photo').download())[0].equals(content)).toBe(true)
  expect((await storage.http(objectPath(bucket.name, 'photo'))).status).toBe(200)
  expect(await codeOf(bucket.file('other').getMetadata())).toBe(404)
})

test('of many requests with the same bytes one makes the object, and all say so', async ({
  bucket,
  storage,
}) => {
  const content = bytes(2_000_000)
  const { url } = await start(storage, bucket.name)

  const outcomes = await Promise.all(
    Array.from({ length: 8 }, async () =>
      put(url, 'bytes 0-1999999/2000000', content).then(
        async (answer) => `${answer.status} ${await answer.text()}`,
        () => 'cut',
      ),
    ),
  )

  const answers = new Set(outcomes.filter((outcome) => outcome !== 'cut'))
  expect([...answers]).toEqual([expect.stringMatching(/^200 /)])
  const [kept] = await bucket.file('photo').download({ validation: 'crc32c' })
  expect(kept.equals(content)).toBe(true)
})
