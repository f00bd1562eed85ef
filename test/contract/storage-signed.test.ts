import { createSign } from 'node:crypto'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import type { File, GetSignedUrlConfig } from '@google-cloud/storage'
import { describe, expect } from 'vitest'
import { startStorage } from '../../infra/local/storage/server.ts'
import {
  bytes,
  codeOf,
  namesIn,
  newDirectory,
  openClient,
  type StorageTarget,
  test,
  withEnvironment,
} from './storage-target.ts'

type Wanted = Partial<GetSignedUrlConfig> & { action: 'read' | 'write' | 'delete' | 'resumable' }

/** A V4 address, good for a minute unless `wanted` says otherwise. */
async function sign(file: File, wanted: Wanted): Promise<string> {
  const expires = Date.now() + 60_000
  const [url] = await file.getSignedUrl({ version: 'v4', expires, ...wanted })
  return url
}

/** The status and, on the XML side, the code of a refusal. */
async function refusal(answer: Promise<Response>): Promise<string> {
  const { status, ...reply } = await answer.then(async (each) => ({
    status: each.status,
    body: await each.text(),
  }))
  return `${status} ${/<Code>(\w+)<\/Code>/.exec(reply.body)?.[1] ?? ''}`
}

/** Signs by hand what the SDK would refuse to sign. */
async function signByHand(storage: StorageTarget, path: string, date: Date, seconds: number) {
  const key: { private_key: string } = JSON.parse(
    await readFile(storage.signer.credentialsFile, 'utf8'),
  )
  const stamp = date.toISOString().replace(/[-:]|\.\d+/g, '')
  const scope = `${stamp.slice(0, 8)}/auto/storage/goog4_request`
  const query = new URLSearchParams({
    'X-Goog-Algorithm': 'GOOG4-RSA-SHA256',
    'X-Goog-Credential': `${storage.signer.email}/${scope}`,
    'X-Goog-Date': stamp,
    'X-Goog-Expires': String(seconds),
    'X-Goog-SignedHeaders': 'host',
  })
  const host = new URL(storage.server.url).host
  const canonical = ['GET', path, String(query), `host:${host}\n`, 'host', 'UNSIGNED-PAYLOAD']
  const hash = await crypto.subtle.digest('SHA-256', Buffer.from(canonical.join('\n')))
  const text = ['GOOG4-RSA-SHA256', stamp, scope, Buffer.from(hash).toString('hex')].join('\n')
  const signature = createSign('RSA-SHA256').update(text).sign(key.private_key, 'hex')
  return `${storage.server.url}${path}?${query}&X-Goog-Signature=${signature}`
}

describe('an address signed for reading', () => {
  test.for(
    ['plain', 'a name/with ü and space', "it's (here)!*", 'a+b?c#d%25'].map((name) => ({ name })),
  )('M01 serves $name', async ({ name }, { bucket }) => {
    const content = bytes(50_000)
    await bucket.file(name).save(content, { resumable: false })

    const answer = await fetch(await sign(bucket.file(name), { action: 'read' }))

    expect(answer.status).toBe(200)
    expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true)
  })

  test('M04 M17 serves ranges and HEAD', async ({ bucket }) => {
    await bucket.file('digits').save('0123456789', { resumable: false })
    const url = await sign(bucket.file('digits'), { action: 'read' })

    const range = await fetch(url, { headers: { Range: 'bytes=2-4' } })
    const head = await fetch(url, { method: 'HEAD' })

    expect([range.status, await range.text()]).toEqual([206, '234'])
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '10'])
    expect(await head.text()).toBe('')
  })

  test('M05 overrides type and disposition', async ({ bucket }) => {
    await bucket.file('photo').save('x', { resumable: false, contentType: 'text/html' })

    const answer = await fetch(
      await sign(bucket.file('photo'), {
        action: 'read',
        promptSaveAs: 'beach.jpg',
        responseType: 'image/jpeg',
      }),
    )

    expect(answer.headers.get('content-type')).toBe('image/jpeg')
    expect(answer.headers.get('content-disposition')).toContain('filename="beach.jpg"')
  })

  test('M02 is refused without or with another signature, or for another object', async ({
    bucket,
    storage,
  }) => {
    await bucket.file('a').save('a', { resumable: false })
    await bucket.file('b').save('b', { resumable: false })
    const url = await sign(bucket.file('a'), { action: 'read' })

    const forged = url.replace(/.{8}$/, '00000000')
    const moved = url.replace(`${bucket.name}/a?`, `${bucket.name}/b?`)

    expect(await refusal(fetch(forged))).toBe('403 SignatureDoesNotMatch')
    expect(await refusal(fetch(moved))).toBe('403 SignatureDoesNotMatch')
    expect(await refusal(storage.http(`/${bucket.name}/a`))).toBe('403 AccessDenied')
  })

  test('M02 any other parameter breaks the signature', async ({ bucket }) => {
    await bucket.file('a').save('a', { resumable: false })
    const url = await sign(bucket.file('a'), { action: 'read' })

    const added = fetch(`${url}&response-content-type=text%2Fhtml`)

    expect(await refusal(added)).toBe('403 SignatureDoesNotMatch')
  })

  test('M03 ends when it expires', async ({ bucket, storage }) => {
    await bucket.file('a').save('a', { resumable: false })
    const path = `/${bucket.name}/a`

    const old = await signByHand(storage, path, new Date(Date.now() - 61_000), 60)
    const good = await signByHand(storage, path, new Date(Date.now() - 30_000), 60)

    expect(await refusal(fetch(old))).toBe('400 ExpiredToken')
    expect((await fetch(good)).status).toBe(200)
  })

  test('M03 is not valid before its time', async ({ bucket, storage }) => {
    const early = await signByHand(storage, `/${bucket.name}/a`, new Date(Date.now() + 60_000), 60)

    expect(await refusal(fetch(early))).toBe('403 AccessDenied')
  })

  test('M15 lives for a week at most, also where the SDK is not asked', async ({
    bucket,
    storage,
  }) => {
    const eightDays = 8 * 24 * 3600
    const expires = Date.now() + eightDays * 1000

    const long = await signByHand(storage, `/${bucket.name}/a`, new Date(), eightDays)

    await expect(sign(bucket.file('a'), { action: 'read', expires })).rejects.toThrow('seven days')
    expect(await refusal(fetch(long))).toBe('400 InvalidArgument')
  })

  test('M11 allows neither PUT nor DELETE', async ({ bucket }) => {
    await bucket.file('a').save('a', { resumable: false })
    const url = await sign(bucket.file('a'), { action: 'read' })

    const put = fetch(url, { method: 'PUT', body: 'b' })
    expect(await refusal(put)).toBe('403 SignatureDoesNotMatch')
    expect(await refusal(fetch(url, { method: 'DELETE' }))).toBe('403 SignatureDoesNotMatch')
    expect((await bucket.file('a').download())[0].toString()).toBe('a')
  })

  test('M14 of a missing object is 404 NoSuchKey', async ({ bucket }) => {
    const url = await sign(bucket.file('none'), { action: 'read' })

    expect(await refusal(fetch(url))).toBe('404 NoSuchKey')
  })

  test('by an unknown signer is refused', async ({ bucket }) => {
    const url = await sign(bucket.file('a'), { action: 'read' })

    const stranger = fetch(url.replace('local-signer', 'someone-else'))

    expect(await refusal(stranger)).toBe('403 AccessDenied')
  })
})

describe('an address signed for writing', () => {
  test('M06 binds the type that was signed', async ({ bucket }) => {
    const url = await sign(bucket.file('typed'), { action: 'write', contentType: 'image/png' })
    const put = (type: string) =>
      fetch(url, { method: 'PUT', headers: { 'Content-Type': type }, body: 'x' })

    expect(await refusal(put('text/html'))).toBe('403 SignatureDoesNotMatch')
    expect((await put('image/png')).status).toBe(200)
    expect((await bucket.file('typed').getMetadata())[0].contentType).toBe('image/png')
  })

  test('M07 M08 binds the size, declared or streamed', async ({ bucket }) => {
    const extensionHeaders = { 'x-goog-content-length-range': '5,10' }
    const url = await sign(bucket.file('sized'), { action: 'write', extensionHeaders })
    const put = (body: NonNullable<RequestInit['body']>) =>
      fetch(url, { method: 'PUT', headers: extensionHeaders, body, duplex: 'half' })
    const stream = (size: number) => new Blob([bytes(size)]).stream()

    expect(await refusal(put('x'.repeat(11)))).toBe('400 EntityTooLarge')
    expect(await refusal(put('x'.repeat(4)))).toBe('400 EntityTooSmall')
    expect(await refusal(put(stream(11)))).toBe('400 EntityTooLarge')
    expect(await refusal(put(stream(4)))).toBe('400 EntityTooSmall')
    expect(await namesIn(bucket)).toEqual([])
    expect((await put('x'.repeat(10))).status).toBe(200)
  })

  test('M08 refuses a stream as soon as it is too long, before its end', async ({ bucket }) => {
    const extensionHeaders = { 'x-goog-content-length-range': '5,10' }
    const url = await sign(bucket.file('sized'), { action: 'write', extensionHeaders })
    const upload = request(url, { method: 'PUT', headers: extensionHeaders })
    upload.on('error', () => undefined)
    upload.write('x'.repeat(11))

    const [answer] = await once(upload, 'response')
    upload.destroy()

    expect(answer.statusCode).toBe(400)
  })

  test('M09 is refused where a signed header is dropped or changed', async ({ bucket }) => {
    const extensionHeaders = { 'x-goog-content-length-range': '5,10' }
    const url = await sign(bucket.file('sized'), { action: 'write', extensionHeaders })
    const put = (headers: Record<string, string>) =>
      fetch(url, { method: 'PUT', headers, body: 'x'.repeat(100) })

    expect(await refusal(put({}))).toBe('403 SignatureDoesNotMatch')
    expect(await refusal(put({ 'x-goog-content-length-range': '5,1000' }))).toBe(
      '403 SignatureDoesNotMatch',
    )
  })

  test('M13 creates once with generation 0', async ({ bucket }) => {
    const extensionHeaders = { 'x-goog-if-generation-match': '0' }
    const url = await sign(bucket.file('once'), { action: 'write', extensionHeaders })
    const put = () => fetch(url, { method: 'PUT', headers: extensionHeaders, body: 'x' })

    expect((await put()).status).toBe(200)
    expect(await refusal(put())).toBe('412 PreconditionFailed')
  })

  test('M13 takes no x-goog header that is not signed', async ({ bucket }) => {
    const url = await sign(bucket.file('a'), { action: 'write' })

    const put = fetch(url, { method: 'PUT', headers: { 'x-goog-meta-a': '1' }, body: 'x' })

    expect(await refusal(put)).toBe('400 MalformedSecurityHeader')
  })

  test('answers like Cloud Storage and keeps signed metadata', async ({ bucket }) => {
    const extensionHeaders = { 'x-goog-meta-owner': 'kartik' }
    const url = await sign(bucket.file('mine'), { action: 'write', extensionHeaders })

    const answer = await fetch(url, { method: 'PUT', headers: extensionHeaders, body: 'hello' })

    expect(answer.headers.get('etag')).toBe('"5d41402abc4b2a76b9719d911017c592"')
    expect(answer.headers.get('x-goog-hash')).toContain('crc32c=mnG7TA==')
    expect((await bucket.file('mine').getMetadata())[0].metadata).toEqual({ owner: 'kartik' })
  })

  test('M12 signed DELETE', async ({ bucket }) => {
    await bucket.file('a').save('a', { resumable: false })
    const url = await sign(bucket.file('a'), { action: 'delete' })

    expect((await fetch(url, { method: 'DELETE' })).status).toBe(204)
    expect(await refusal(fetch(url, { method: 'DELETE' }))).toBe('404 NoSuchKey')
  })
})

describe('an address signed for a resumable upload', () => {
  const open = async (file: File, extensionHeaders: Record<string, string> = {}) => {
    const wanted = { action: 'resumable', contentType: 'image/png', extensionHeaders } as const
    const headers = {
      'x-goog-resumable': 'start',
      'Content-Type': 'image/png',
      ...extensionHeaders,
    }
    return fetch(await sign(file, wanted), { method: 'POST', headers })
  }

  test('M10 starts a session whose requests need no signature', async ({ bucket }) => {
    const content = bytes(300_000)
    const started = await open(bucket.file('photo'))
    const url = started.headers.get('location') ?? ''

    const first = await fetch(url, {
      method: 'PUT',
      headers: { 'Content-Range': 'bytes 0-262143/*' },
      body: content.subarray(0, 262_144),
    })
    const last = await fetch(url, {
      method: 'PUT',
      headers: { 'Content-Range': 'bytes 262144-299999/300000' },
      body: content.subarray(262_144),
    })

    expect([started.status, first.status, last.status]).toEqual([201, 308, 200])
    expect((await bucket.file('photo').download())[0].equals(content)).toBe(true)
    expect((await bucket.file('photo').getMetadata())[0].contentType).toBe('image/png')
  })

  test('M10 keeps the signed length range in the session', async ({ bucket }) => {
    const range = { 'x-goog-content-length-range': '5,10' }
    const started = await open(bucket.file('photo'), range)
    const url = started.headers.get('location') ?? ''
    const put = (size: number) => fetch(url, { method: 'PUT', body: bytes(size) })

    expect(await refusal(put(11))).toBe('400 EntityTooLarge')
    expect(await refusal(put(4))).toBe('400 EntityTooSmall')
    expect(await namesIn(bucket)).toEqual([])
  })
})

test('M16 CORS echoes only the listed origin', async ({ bucket }) => {
  const origin = 'https://app.example'
  await bucket.setCorsConfiguration([
    { origin: [origin], method: ['GET'], responseHeader: ['ETag'], maxAgeSeconds: 60 },
  ])
  await bucket.file('a').save('a', { resumable: false })
  const url = await sign(bucket.file('a'), { action: 'read' })
  const preflight = (from: string, method: string) =>
    fetch(url, {
      method: 'OPTIONS',
      headers: { Origin: from, 'Access-Control-Request-Method': method },
    })
  const allowed = (answer: Response) => answer.headers.get('access-control-allow-origin')

  const good = await preflight(origin, 'GET')
  expect([allowed(good), good.headers.get('access-control-max-age')]).toEqual([origin, '60'])
  expect(allowed(await preflight(origin, 'PUT'))).toBeNull()
  expect(allowed(await preflight('https://evil.example', 'GET'))).toBeNull()
  expect(allowed(await fetch(url, { headers: { Origin: origin } }))).toBe(origin)
  expect(allowed(await fetch(url, { headers: { Origin: 'https://evil.example' } }))).toBeNull()
})

describe('how a program finds the server', () => {
  test('M18 by STORAGE_EMULATOR_HOST all works, signing too', async ({ storage }) => {
    const client = await openClient(
      {},
      {
        STORAGE_EMULATOR_HOST: storage.server.url,
        GOOGLE_APPLICATION_CREDENTIALS: storage.signer.credentialsFile,
      },
    )
    const bucket = client.bucket((await storage.newBucket()).name)
    await bucket.file('a').save('one', { resumable: false })
    await bucket.file('b').save('two', { resumable: true })
    await bucket.file('a').copy('c')
    await bucket.file('c').setMetadata({ metadata: { a: '1' } })

    const answer = await fetch(await sign(bucket.file('b'), { action: 'read' }))

    expect(await answer.text()).toBe('two')
    expect((await bucket.file('c').download())[0].toString()).toBe('one')
    expect(await namesIn(bucket)).toEqual(['a', 'b', 'c'])
  })

  test('M19 without credentials the content works and signing fails at once', async ({
    storage,
  }) => {
    const nothing = 'no-such-directory'
    const environment = {
      ...{ METADATA_SERVER_DETECTION: 'none', GOOGLE_APPLICATION_CREDENTIALS: undefined },
      ...{ HOME: nothing, APPDATA: nothing, CLOUDSDK_CONFIG: nothing },
    }
    const client = await openClient({ apiEndpoint: storage.server.url }, environment)
    const file = client.bucket((await storage.newBucket()).name).file('a')

    await file.save('content', { resumable: false })

    expect((await file.download())[0].toString()).toBe('content')
    const signing = withEnvironment(environment, () => sign(file, { action: 'read' }))
    await expect(signing).rejects.toThrow('credentials')
  })

  test('M19 a server that knows no signer takes no signed address', async ({ bucket, storage }) => {
    const dataDir = await newDirectory()
    const server = await startStorage({ dataDir })
    const url = await sign(bucket.file('a'), { action: 'read' })

    const answer = await refusal(fetch(url.replace(storage.server.url, server.url)))
    await server.close()
    await rm(dataDir, { recursive: true })

    expect(answer).toBe('403 AccessDenied')
    expect(await codeOf(bucket.file('a').getMetadata())).toBe(404)
  })
})
