import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { MultipartReader } from '../../infra/local/storage/multipart.ts'
import { startStorage } from '../../infra/local/storage/server.ts'
import {
  insertPath,
  namesIn,
  newDirectory,
  objectPath,
  type StorageTarget,
  test,
} from './storage-target.ts'

const JSON_PART = '--B\r\nContent-Type: application/json\r\n\r\n{"name":"x"}\r\n'
const CONTENT_PART = '--B\r\nContent-Type: image/png\r\n\r\ncontent'
const END = '\r\n--B--\r\n'
const RELATED = 'multipart/related; boundary=B'

describe('a malformed multipart body', () => {
  test.for([
    { name: 'another type', type: 'text/plain', body: `${JSON_PART}${CONTENT_PART}${END}` },
    { name: 'form data', type: 'multipart/form-data; boundary=B', body: JSON_PART },
    { name: 'no boundary', type: 'multipart/related', body: `${JSON_PART}${CONTENT_PART}${END}` },
    { name: 'another boundary', type: 'multipart/related; boundary=C', body: `${JSON_PART}${END}` },
    { name: 'no body', type: RELATED, body: '' },
    { name: 'one part', type: RELATED, body: `${JSON_PART.trimEnd()}${END}` },
    { name: 'no closing delimiter', type: RELATED, body: JSON_PART + CONTENT_PART },
    { name: 'bytes behind its end', type: RELATED, body: `${JSON_PART}${CONTENT_PART}${END}more` },
    {
      name: 'no JSON in the JSON part',
      type: RELATED,
      body: `${JSON_PART.replace('"}', '')}${CONTENT_PART}${END}`,
    },
    {
      name: 'a list as resource',
      type: RELATED,
      body: `${JSON_PART.replace('{"name":"x"}', '[]')}${CONTENT_PART}${END}`,
    },
    {
      name: 'no type for the JSON',
      type: RELATED,
      body: `${JSON_PART.replace('application/json', 'text/x')}${CONTENT_PART}${END}`,
    },
    {
      name: 'a header without a colon',
      type: RELATED,
      body: `${JSON_PART.replace(':', ' ')}${CONTENT_PART}${END}`,
    },
    {
      name: 'over 1 MiB before the content',
      type: RELATED,
      body: JSON_PART + 'x'.repeat(1_100_000),
    },
  ])('$name is 400 and stores nothing', async ({ type, body }, { bucket, storage }) => {
    const path = `/upload/storage/v1/b/${bucket.name}/o?uploadType=multipart`

    const answer = await storage.http(path, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body,
    })

    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { errors: [{ reason: 'invalid' }] } })
    expect(await namesIn(bucket)).toEqual([])
  })
})

test('a multipart body gives its content however it is cut into chunks', () => {
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each)),
    fc
      .constantFrom('', '\r\n--B', '--B--', '\r\n--B--\r\n', '\r\n--B--x')
      .map((each) => Buffer.from(each)),
  )
  fc.assert(
    fc.property(content, fc.array(fc.integer({ min: 1, max: 60 })), (expected, cuts) => {
      const head = `${JSON_PART}--B\r\nContent-Type: image/png\r\n\r\n`
      const body = Buffer.concat([Buffer.from(head), expected, Buffer.from(END)])
      const got: Buffer[] = []
      const types: (string | undefined)[] = []
      const reader = new MultipartReader('B', {
        onStart: (_resource, type) => types.push(type),
        onBytes: (chunk) => got.push(Buffer.from(chunk)),
      })
      let at = 0
      for (const cut of [...cuts, body.length]) {
        if (at < body.length) reader.write(body.subarray(at, at + cut))
        at += cut
      }
      reader.end()
      return Buffer.concat(got).equals(expected) && types.join() === 'image/png'
    }),
  )
  expect(() => new MultipartReader('B', { onStart() {}, onBytes() {} }).end()).toThrow('it ends')
})

describe('a malformed request', () => {
  const post = (storage: StorageTarget, path: string, body: string) =>
    storage.http(path, { method: 'POST', body })

  test('broken JSON is 400', async ({ storage }) => {
    expect((await post(storage, '/storage/v1/b', '{"name":')).status).toBe(400)
    expect((await post(storage, '/storage/v1/b', '"name"')).status).toBe(400)
  })

  test('JSON over 1 MiB is 413', async ({ storage }) => {
    const answer = await post(storage, '/storage/v1/b', `{"a":"${'x'.repeat(1_100_000)}"}`)

    expect(answer.status).toBe(413)
  })

  test('another uploadType is 400', async ({ bucket, storage }) => {
    expect((await post(storage, insertPath(bucket.name, 'x', 'other'), '')).status).toBe(400)
    expect((await post(storage, insertPath(bucket.name, '', 'media'), '')).status).toBe(400)
  })

  test.for([
    { method: 'GET', path: '/storage/v1/b/x/iam', status: 404 },
    { method: 'GET', path: '/storage/v2/b', status: 404 },
    { method: 'GET', path: '/', status: 404 },
    { method: 'POST', path: '/storage/v1/b/x/o/y/z', status: 404 },
    { method: 'GET', path: '/storage/v1/b/%zz', status: 400 },
    { method: 'PATCH', path: '/bucket/object', status: 403 },
  ])('$method $path is $status', async ({ method, path, status }, { storage }) => {
    expect((await storage.http(path, { method })).status).toBe(status)
  })

  test('headers over 32 KiB are 431', async ({ storage }) => {
    const answer = await storage.http('/storage/v1/b', {
      headers: { 'X-Long': 'x'.repeat(40_000) },
    })

    expect(answer.status).toBe(431)
  })

  test('what is no HTTP is 400', async ({ storage }) => {
    const socket = connect(storage.server.port, '127.0.0.1')
    socket.end('\x16\x03\x01 hello\r\n\r\n')

    const [reply] = await once(socket, 'data')

    expect(String(reply)).toMatch(/^HTTP\/1\.1 400 /)
  })
})

describe('web pages', () => {
  const withHost = (storage: StorageTarget, headers: Record<string, string>) => {
    const { promise, resolve } = Promise.withResolvers<number | undefined>()
    const options = { port: storage.server.port, host: '127.0.0.1', path: '/storage/v1/b', headers }
    request(options, (answer) => resolve(answer.resume().statusCode)).end()
    return promise
  }

  test('a name that was rebound to this machine is refused', async ({ storage }) => {
    expect(await withHost(storage, { Host: 'evil.example' })).toBe(403)
    expect(await withHost(storage, { Host: 'localhost:1234' })).toBe(200)
  })

  test('the JSON API is not for other sites', async ({ storage }) => {
    expect(await withHost(storage, { 'Sec-Fetch-Site': 'cross-site' })).toBe(403)
    expect(await withHost(storage, { 'Sec-Fetch-Site': 'none' })).toBe(200)
  })
})

test('a slow sender is cut off with 408, and a session keeps what it sent', async () => {
  const dataDir = await newDirectory()
  const server = await startStorage({ dataDir, pace: { windowMs: 50, bytes: 1000 } })
  await fetch(`${server.url}/b`, { method: 'POST', body: '{"name":"slow"}' })
  const started = await fetch(server.url + insertPath('slow', 'x', 'resumable'), { method: 'POST' })
  const location = started.headers.get('location') ?? ''
  const upload = request(location, { method: 'PUT', headers: { 'Content-Length': 1000 } })
  upload.write('0123456789')

  const [answer] = await once(upload, 'response')
  answer.resume()
  const asked = await fetch(location, { method: 'PUT', headers: { 'Content-Range': 'bytes */*' } })
  await server.close()
  await rm(dataDir, { recursive: true })

  expect(answer.statusCode).toBe(408)
  expect([asked.status, asked.headers.get('range')]).toEqual([308, 'bytes=0-9'])
})

test('an upload that is refused early still gets its answer', async ({ storage }) => {
  const answer = await storage.http(insertPath('no-such-bucket', 'x'), {
    method: 'POST',
    body: Buffer.alloc(20_000_000),
  })

  expect(answer.status).toBe(404)
  expect((await storage.http(objectPath('no-such-bucket', 'x'))).status).toBe(404)
})
