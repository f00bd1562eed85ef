import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CRC32C } from '@google-cloud/storage'
import { describe, expect } from 'vitest'
import { bytes, codeOf, insertPath, namesIn, objectPath, test } from './storage-target.ts'

const md5 = (content: Buffer) => createHash('md5').update(content).digest('base64')

function crc32c(content: Buffer): string {
  const crc = new CRC32C()
  crc.update(content)
  return crc.toString()
}

const described = (content: Buffer, contentType: string) => ({
  size: String(content.length),
  md5Hash: md5(content),
  crc32c: crc32c(content),
  contentType,
  metageneration: '1',
  generation: expect.stringMatching(/^\d{16}$/),
})

describe('an upload keeps bytes, checksums and type', () => {
  test('H01 save in one request', async ({ bucket }) => {
    const content = bytes(100_000)
    const file = bucket.file('photo.jpg')

    await file.save(content, { resumable: false, contentType: 'image/jpeg' })

    const [metadata] = await file.getMetadata()
    expect(metadata).toMatchObject(described(content, 'image/jpeg'))
    expect((await file.download())[0].equals(content)).toBe(true)
  })

  test('H02 streamed multipart', async ({ bucket }) => {
    const content = bytes(3_000_000)
    const file = bucket.file('streamed')
    const chunks = Readable.from(Array.from({ length: 30 }, (_, at) => part(content, at, 100_000)))

    await pipeline(chunks, file.createWriteStream({ resumable: false, contentType: 'image/png' }))

    expect((await file.getMetadata())[0]).toMatchObject(described(content, 'image/png'))
    expect((await file.download())[0].equals(content)).toBe(true)
  })

  test.for([
    { id: 'H03', name: 'resumable', options: {} },
    { id: 'H04', name: 'resumable in chunks of 256 KiB', options: { chunkSize: 256 * 1024 } },
  ])('$id $name', async ({ options }, { bucket }) => {
    const content = bytes(1_000_000)
    const file = bucket.file('resumable')

    await file.save(content, { resumable: true, contentType: 'image/gif', ...options })

    expect((await file.getMetadata())[0]).toMatchObject(described(content, 'image/gif'))
    expect((await file.download())[0].equals(content)).toBe(true)
  })

  test.for([{ resumable: false }, { resumable: true }, { resumable: true, chunkSize: 256 * 1024 }])(
    'H05 empty, resumable $resumable, chunk size $chunkSize',
    async (options, { bucket }) => {
      const content = Buffer.alloc(0)
      const file = bucket.file('empty')

      await file.save(content, { contentType: 'text/plain', ...options })

      expect((await file.getMetadata())[0]).toMatchObject(described(content, 'text/plain'))
      expect((await file.download())[0]).toHaveLength(0)
    },
  )

  test('H06 content that looks like the boundary', async ({ bucket, storage }) => {
    const content = '--B\r\n\r\n--B--\r\nContent-Type: text/plain\r\n\r\n--B--'
    const head = '--B\r\nContent-Type: application/json\r\n\r\n{"contentType":"text/x"}\r\n--B\r\n'
    const body = `${head}Content-Type: image/png\r\n\r\n${content}\r\n--B--\r\n`

    const answer = await storage.http(insertPath(bucket.name, 'tricky', 'multipart'), {
      method: 'POST',
      headers: { 'Content-Type': 'multipart/related; boundary="B"' },
      body,
    })

    expect(await answer.json()).toMatchObject(described(Buffer.from(content), 'text/x'))
    expect((await bucket.file('tricky').download())[0].toString()).toBe(content)
  })

  test('H12 media', async ({ bucket, storage }) => {
    const content = bytes(70_000)

    const answer = await storage.http(insertPath(bucket.name, 'media'), {
      method: 'POST',
      headers: { 'Content-Type': 'image/webp' },
      body: content,
    })

    expect(await answer.json()).toMatchObject(described(content, 'image/webp'))
    expect((await bucket.file('media').download())[0].equals(content)).toBe(true)
  })

  test('H19 custom metadata keeps the case of its keys', async ({ bucket }) => {
    const metadata = {
      cacheControl: 'private, no-store',
      contentDisposition: 'attachment; filename="b.jpg"',
      contentLanguage: 'en',
      metadata: { uploadId: 'Ab1', 'Mixed-Case': 'ü' },
    }

    await bucket.file('custom').save('x', { resumable: false, metadata })

    expect((await bucket.file('custom').getMetadata())[0]).toMatchObject(metadata)
  })
})

const part = (content: Buffer, at: number, size: number) =>
  content.subarray(at * size, (at + 1) * size)

describe('conditions are part of the write', () => {
  test.for([
    { id: 'H07', resumable: false },
    { id: 'H08', resumable: true },
  ])('$id only the first creation passes, resumable $resumable', async (row, { bucket }) => {
    const file = bucket.file('once')
    const options = {
      resumable: row.resumable,
      preconditionOpts: { ifGenerationMatch: 0 },
    }

    await file.save('first', options)

    expect(await codeOf(file.save('second', options))).toBe(412)
    expect((await file.download())[0].toString()).toBe('first')
  })

  test('H09 the right generation replaces, a stale one is refused', async ({ bucket }) => {
    const file = bucket.file('versioned')
    await file.save('1', { resumable: false })
    const ifGenerationMatch = Number((await file.getMetadata())[0].generation)
    const options = { resumable: false, preconditionOpts: { ifGenerationMatch } }

    await file.save('2', options)

    expect(await codeOf(file.save('3', options))).toBe(412)
    expect((await file.download())[0].toString()).toBe('2')
  })

  test('H18 of 8 parallel creations exactly one passes', async ({ bucket }) => {
    const file = bucket.file('contended')
    const save = (at: number) =>
      file.save(`writer ${at}`, { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } })

    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, at) => save(at)))

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})

describe('an overwrite is whole', () => {
  test('H10 the generation grows and the metageneration starts again', async ({ bucket }) => {
    const file = bucket.file('twice')
    await file.save('1', { resumable: false })
    const [before] = await file.getMetadata()
    await file.setMetadata({ cacheControl: 'no-store' })

    await file.save('2', { resumable: false })

    const [after] = await file.getMetadata()
    expect(Number(after.generation)).toBeGreaterThan(Number(before.generation))
    expect(after.metageneration).toBe('1')
    expect(after.cacheControl).toBeUndefined()
  })

  test('H17 reads during 10 overwrites never mix two versions', async ({ bucket }) => {
    const file = bucket.file('busy')
    const fill = (at: number) => Buffer.alloc(2_000_000, at)
    await file.save(fill(0), { resumable: false, validation: false })
    const seen: boolean[] = []
    let writing = true
    const read = async () => {
      while (writing) {
        const [content] = await file.download({ validation: false })
        seen.push(content.equals(fill(content[0] ?? 255)))
      }
    }

    const readers = [read(), read()]
    for (let at = 1; at <= 10; at++) {
      await file.save(fill(at), { resumable: false, validation: false })
    }
    writing = false
    await Promise.all(readers)

    expect(seen.length).toBeGreaterThan(2)
    expect(seen.every(Boolean)).toBe(true)
  })
})

describe('a refused upload stores nothing', () => {
  test.for([
    { name: 'md5', hash: { md5Hash: md5(Buffer.from('other')) } },
    { name: 'crc32c', hash: { crc32c: crc32c(Buffer.from('other')) } },
  ])('H11 wrong $name', async ({ hash }, { bucket }) => {
    const options = { resumable: false, validation: false, metadata: hash } as const

    expect(await codeOf(bucket.file('wrong').save('content', options))).toBe(400)
    expect(await namesIn(bucket)).toEqual([])
  })

  test('H11 a wrong x-goog-hash header', async ({ bucket, storage }) => {
    const answer = await storage.http(insertPath(bucket.name, 'wrong'), {
      method: 'POST',
      headers: { 'x-goog-hash': `crc32c=${crc32c(Buffer.from('a'))},md5=${md5(Buffer.from('b'))}` },
      body: 'a',
    })

    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { errors: [{ reason: 'invalid' }] } })
    expect(await namesIn(bucket)).toEqual([])
  })

  test('H11 both checksums right', async ({ bucket }) => {
    const content = Buffer.from('content')
    const metadata = { md5Hash: md5(content), crc32c: crc32c(content) }

    await bucket.file('right').save(content, { resumable: false, metadata })

    expect(await namesIn(bucket)).toEqual(['right'])
  })

  test.for([{ resumable: false }, { resumable: true }])(
    'H13 a missing bucket is 404, resumable $resumable',
    async (options, { storage }) => {
      const file = storage.client.bucket('no-such-bucket').file('x')

      expect(await codeOf(file.save('x', options))).toBe(404)
    },
  )

  test.for(['.', '..', 'a\nb', 'a\rb', 'x'.repeat(1025)].map((name) => ({ name })))(
    'H15 the name $name',
    async ({ name }, { bucket }) => {
      expect(await codeOf(bucket.file(name).save('x', { resumable: false }))).toBe(400)
      expect(await codeOf(bucket.file(name).save('x', { resumable: true }))).toBe(400)
      expect(await namesIn(bucket)).toEqual([])
    },
  )

  test('H16 the client dies in the middle', async ({ bucket, storage }) => {
    const path = insertPath(bucket.name, 'half')
    const upload = request(storage.server.url + path, {
      method: 'POST',
      headers: { 'Content-Length': 1_000_000 },
    })
    upload.on('error', () => undefined)
    await new Promise((resolve) => upload.write(bytes(500_000), resolve))
    const answered = () => storage.server.requests.filter(({ url }) => url === path).length

    upload.destroy()

    await expect.poll(answered).toBe(1)
    expect(await namesIn(bucket)).toEqual([])
  })

  test.for([{ resumable: false }, { resumable: true }])(
    'H20 the source stream fails, resumable $resumable',
    async (options, { bucket }) => {
      const broken = Readable.from(
        (function* () {
          yield bytes(300_000)
          throw new Error('the source broke')
        })(),
      )

      const copied = pipeline(broken, bucket.file('broken').createWriteStream(options))

      await expect(copied).rejects.toThrow('the source broke')
      expect(await namesIn(bucket)).toEqual([])
    },
  )
})

const AWKWARD = [
  ...['../../x', '/abs', 'C:\\x', 'a//b', 'a b?c#d%2Fe+f', 'é/😀', '.hidden', 'n\0l'],
  'x'.repeat(1024),
]

describe('H14 names are never paths', () => {
  test.for(AWKWARD.map((name) => ({ name })))('$name', async ({ name }, { bucket, storage }) => {
    await bucket.file(name).save(name, { resumable: false })
    await bucket.file(name).save(name, { resumable: true })

    const answer = await storage.http(`${objectPath(bucket.name, name)}?alt=media`)
    expect(await answer.text()).toBe(name)
    expect((await bucket.file(name).download())[0].toString()).toBe(name)
    expect(await namesIn(bucket)).toEqual([name])
  })
})
