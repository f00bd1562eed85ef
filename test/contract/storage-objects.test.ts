import { randomBytes } from 'node:crypto'
import { describe, expect } from 'vitest'
import { bytes, codeOf, namesIn, objectPath, test } from './storage-target.ts'

describe('delete', () => {
  test('L01 is 204, and 404 the second time', async ({ bucket, storage }) => {
    await bucket.file('gone').save('x', { resumable: false })
    const path = objectPath(bucket.name, 'gone')

    const first = await storage.http(path, { method: 'DELETE' })
    const second = await storage.http(path, { method: 'DELETE' })

    expect([first.status, second.status]).toEqual([204, 404])
    expect(await codeOf(bucket.file('gone').delete())).toBe(404)
  })

  test('L02 may ignore what is not there', async ({ bucket }) => {
    await expect(bucket.file('none').delete({ ignoreNotFound: true })).resolves.toBeDefined()
  })

  test('L02 of a stale generation is 412', async ({ bucket }) => {
    await bucket.file('kept').save('x', { resumable: false })

    const refused = bucket.file('kept').delete({ ifGenerationMatch: 1 })

    expect(await codeOf(refused)).toBe(412)
    expect(await namesIn(bucket)).toEqual(['kept'])
  })
})

describe('setMetadata', () => {
  test('L03 merges, removes with null, counts the metageneration', async ({ bucket, storage }) => {
    const file = bucket.file('described')
    const metadata = { cacheControl: 'no-store', metadata: { a: '1', b: '2' } }
    await file.save('x', { resumable: false, metadata })
    const [before] = await file.getMetadata()

    await file.setMetadata({ metadata: { b: null, c: '3' } })
    await storage.http(objectPath(bucket.name, 'described'), {
      method: 'PATCH',
      body: '{"cacheControl":null}',
    })

    const [after] = await file.getMetadata()
    expect(after.metadata).toEqual({ a: '1', c: '3' })
    expect(after.cacheControl).toBeUndefined()
    expect(after.metageneration).toBe('3')
    expect(after.generation).toBe(before.generation)
  })

  test('L04 with a stale ifMetagenerationMatch is 412', async ({ bucket }) => {
    const file = bucket.file('described')
    await file.save('x', { resumable: false })

    const refused = file.setMetadata({ cacheControl: 'x' }, { ifMetagenerationMatch: 7 })

    expect(await codeOf(refused)).toBe(412)
  })

  test('L05 of a missing object is 404', async ({ bucket }) => {
    expect(await codeOf(bucket.file('none').setMetadata({ cacheControl: 'x' }))).toBe(404)
  })

  test.for([
    { name: 'a list as metadata', patch: { metadata: [] }, status: 400 },
    { name: 'an object as a type', patch: { contentType: {} }, status: 400 },
    { name: 'a line break in a type', patch: { contentType: 'a\r\nSet-Cookie: b' }, status: 400 },
    { name: '9 KiB of metadata', patch: { metadata: { a: 'x'.repeat(9000) } }, status: 400 },
    { name: 'a hold', patch: { temporaryHold: true }, status: 501 },
  ])('$name is $status', async ({ patch, status }, { bucket, storage }) => {
    await bucket.file('x').save('x', { resumable: false })

    const answer = await storage.http(objectPath(bucket.name, 'x'), {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(patch),
    })

    expect(answer.status).toBe(status)
  })
})

describe('copies', () => {
  test('L06 have bytes and metadata of the source', async ({ bucket, storage }) => {
    const content = bytes(100_000)
    const other = await storage.newBucket()
    const metadata = { contentType: 'image/png', metadata: { a: '1' } }
    await bucket.file('from').save(content, { resumable: false, metadata })

    await bucket.file('from').copy(other.file('to'))

    expect((await other.file('to').download())[0].equals(content)).toBe(true)
    expect((await other.file('to').getMetadata())[0]).toMatchObject(metadata)
    expect(await namesIn(bucket)).toEqual(['from'])
  })

  test('L06 outlive their source', async ({ bucket }) => {
    await bucket.file('from').save('content', { resumable: false })
    await bucket.file('from').copy('to')

    await bucket.file('from').delete()

    expect((await bucket.file('to').download())[0].toString()).toBe('content')
  })

  test('L06 of nothing are 404', async ({ bucket }) => {
    expect(await codeOf(bucket.file('none').copy('to'))).toBe(404)
  })

  test('L06 keep conditions of both sides', async ({ bucket }) => {
    await bucket.file('from').save('1', { resumable: false })
    await bucket.file('to').save('2', { resumable: false })

    const onto = bucket.file('from').copy('to', { preconditionOpts: { ifGenerationMatch: 0 } })

    expect(await codeOf(onto)).toBe(412)
    expect((await bucket.file('to').download())[0].toString()).toBe('2')
  })

  test('L07 move', async ({ bucket }) => {
    await bucket.file('from').save('content', { resumable: false })

    await bucket.file('from').move('to')

    expect(await namesIn(bucket)).toEqual(['to'])
    expect((await bucket.file('to').download())[0].toString()).toBe('content')
  })

  test('L07 moveFileAtomic', async ({ bucket }) => {
    await bucket.file('from').save('content', { resumable: false })

    await bucket.file('from').moveFileAtomic('to')

    expect(await namesIn(bucket)).toEqual(['to'])
    expect((await bucket.file('to').download())[0].toString()).toBe('content')
  })

  test('L08 combine joins in order', async ({ bucket }) => {
    const [a, b] = [bytes(3_000_000), bytes(2_000_000)]
    const options = { resumable: false, validation: false, contentType: 'image/png' } as const
    await bucket.file('a').save(a, options)
    await bucket.file('b').save(b, options)

    await bucket.combine(['a', 'b', 'a'], 'joined.png')

    const [joined] = await bucket.file('joined.png').download()
    expect(joined.equals(Buffer.concat([a, b, a]))).toBe(true)
    const [metadata] = await bucket.file('joined.png').getMetadata()
    expect(metadata).toMatchObject({ componentCount: 3, contentType: 'image/png' })
    expect(metadata.md5Hash).toBeUndefined()
  })
})

describe('buckets', () => {
  test('L09 live: created once, found, deleted when empty', async ({ storage }) => {
    const bucket = storage.client.bucket(`life-${randomBytes(6).toString('hex')}`)
    const existed = await bucket.exists()
    await bucket.create()
    const exists = await bucket.exists()
    await bucket.file('x').save('x', { resumable: false })

    expect([existed, exists]).toEqual([[false], [true]])
    expect(await codeOf(bucket.create())).toBe(409)
    expect(await codeOf(bucket.delete())).toBe(409)
    await bucket.file('x').delete()
    await bucket.delete()
    expect(await bucket.exists()).toEqual([false])
  })

  test('L09 are listed', async ({ bucket, storage }) => {
    const [buckets] = await storage.client.getBuckets({ prefix: bucket.name })

    expect(buckets.map(({ name }) => name)).toEqual([bucket.name])
  })

  test.for(
    [
      ...[
        'b',
        'o',
        'upload',
        'download',
        'storage',
        'Ab-cd',
        '-abc',
        'a..b',
        '192.168.0.1',
        'goog-a',
      ],
      'x'.repeat(64),
    ].map((name) => ({ name })),
  )('the name $name is refused', async ({ name }, { storage }) => {
    expect(await codeOf(storage.client.createBucket(name))).toBe(400)
  })

  test('L10 cors and lifecycle are kept', async ({ bucket }) => {
    const cors = [{ origin: ['https://a.example'], method: ['GET'], responseHeader: ['X-A'] }]
    await bucket.setCorsConfiguration(cors)
    await bucket.addLifecycleRule({ action: { type: 'Delete' }, condition: { age: 1 } })

    const [metadata] = await bucket.getMetadata()

    expect(metadata.cors).toEqual(cors)
    expect(metadata.lifecycle?.rule).toMatchObject([{ condition: { age: 1 } }])
    expect(metadata.metageneration).toBe('3')
  })

  test('versioning, which is not here, is refused', async ({ bucket }) => {
    expect(await codeOf(bucket.setMetadata({ versioning: { enabled: true } }))).toBe(501)
  })
})
