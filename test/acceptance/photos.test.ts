import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { call, photoForm, register } from './client.ts'

const PHONE = readFileSync(new URL('../image/fixtures/camera-iphone-4s.jpg', import.meta.url))
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

async function bytesOf(token: string, id: string): Promise<{ response: Response; bytes: Buffer }> {
  const found = await call('GET', `/photos/${id}/content`, { token })
  const response = await fetch(found.headers.get('location') ?? '')
  return { response, bytes: Buffer.from(await response.arrayBuffer()) }
}

test('a photo from a form: uploaded, listed, seen, deleted', async () => {
  const user = await register()
  const token = user.access

  const given = await call('POST', '/file', { token, body: photoForm(PHONE, 'beach.jpg') })
  expect(given.status).toBe(201)
  expect(given.body['message']).toBe('File beach.jpg successfully uploaded')
  const photo = given.part('photo')
  expect(photo).toMatchObject({ content_type: 'image/jpeg', original_name: 'beach.jpg' })
  expect(given.headers.get('location')).toMatch(new RegExp(`/photos/${photo['id']}$`))
  expect(given.headers.get('ratelimit-policy')).toBe('"upload";q=5;w=60')
  expect(given.headers.get('ratelimit')).toMatch(/^"upload";r=4;t=\d+$/)

  const listed = await call('GET', '/photos', { token })
  expect(listed.list('photos')).toEqual([photo])
  const one = await call('GET', `/photos/${photo['id']}`, { token })
  expect(one.body).toEqual(photo)

  const { response, bytes } = await bytesOf(token, String(photo['id']))
  expect(response.headers.get('content-type')).toBe('image/jpeg')
  expect(bytes.length).toBe(photo['bytes'])
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(photo['sha256'])
  expect(bytes.includes('GPS')).toBe(false)

  const gone = await call('DELETE', `/photos/${photo['id']}`, { token })
  expect(gone.status).toBe(204)
  expect((await call('DELETE', `/photos/${photo['id']}`, { token })).status).toBe(204)
  expect((await call('GET', `/photos/${photo['id']}`, { token })).body['code']).toBe('not_found')
  expect((await call('GET', '/photos', { token })).list('photos')).toEqual([])
})

test('the image itself as the body', async () => {
  const user = await register()

  const given = await call('POST', '/file', {
    token: user.access,
    body: PIXEL,
    headers: { 'content-type': 'image/png' },
  })

  expect(given.status).toBe(201)
  expect(given.part('photo')).toMatchObject({
    content_type: 'image/png',
    width: 1,
    height: 1,
    bytes: PIXEL.length,
    original_name: 'photo',
    sha256: createHash('sha256').update(PIXEL).digest('hex'),
  })
})

test('an app that asks for JSON gets the signed address as JSON', async () => {
  const user = await register()
  const given = await call('POST', '/file', { token: user.access, body: photoForm(PIXEL, 'a.png') })

  const content = await call('GET', `/photos/${given.part('photo')['id']}/content`, {
    token: user.access,
    headers: { accept: 'application/json' },
  })

  expect(content.status).toBe(200)
  expect(Object.keys(content.body).toSorted()).toEqual(['expires_at', 'url'])
})

test('somebody else’s photo does not exist', async () => {
  const owner = await register()
  const other = await register()
  const given = await call('POST', '/file', {
    token: owner.access,
    body: photoForm(PIXEL, 'a.png'),
  })
  const path = `/photos/${given.part('photo')['id']}`

  const seen = await call('GET', path, { token: other.access })
  const content = await call('GET', `${path}/content`, { token: other.access })
  const deleted = await call('DELETE', path, { token: other.access })

  expect([seen.status, content.status, deleted.status]).toEqual([404, 404, 204])
  expect((await call('GET', path, { token: owner.access })).status).toBe(200)
})

test('the same key and bytes are the same photo, other bytes are refused', async () => {
  const user = await register()
  const headers = { 'idempotency-key': 'holiday-1' }
  const send = (bytes: Buffer) =>
    call('POST', '/file', { token: user.access, body: photoForm(bytes, 'a.png'), headers })

  const first = await send(PIXEL)
  const again = await send(PIXEL)
  const other = await send(PHONE)

  expect(first.status).toBe(201)
  expect(again.status).toBe(200)
  expect(again.body).toEqual(first.body)
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(other.status).toBe(422)
  expect(other.body['code']).toBe('idempotency_key_reused')
})

test('the sixth upload within a minute is refused with the time to wait', async () => {
  const user = await register()
  const send = () => call('POST', '/file', { token: user.access, body: photoForm(PIXEL, 'a.png') })
  for (const _ of [1, 2, 3, 4, 5]) expect((await send()).status).toBe(201)

  const refused = await send()

  expect(refused.status).toBe(429)
  expect(refused.body).toMatchObject({ code: 'rate_limited', retryable: true })
  expect(refused.body['detail']).toContain('5 per 1 minute')
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(refused.headers.get('ratelimit')).toMatch(/^"upload";r=0;t=\d+$/)
})

const REFUSED_FILES = [
  { why: 'an empty file', bytes: Buffer.alloc(0), status: 400, code: 'file_empty' },
  {
    why: 'HTML',
    bytes: Buffer.from('<html><script>1</script>'),
    status: 415,
    code: 'unsupported_image_type',
  },
  { why: 'half a PNG', bytes: PIXEL.subarray(0, 40), status: 422, code: 'image_damaged' },
]

test.for(REFUSED_FILES)(
  '$why is refused and nothing is stored',
  async ({ bytes, status, code }) => {
    const user = await register()

    const refused = await call('POST', '/file', {
      token: user.access,
      body: photoForm(bytes, 'x.jpg'),
    })

    expect(refused.status).toBe(status)
    expect(refused.body['code']).toBe(code)
    expect((await call('GET', '/photos', { token: user.access })).list('photos')).toEqual([])
  },
)

test('a large photo goes straight into the bucket and is checked before it exists', async () => {
  const user = await register()
  const token = user.access
  const opened = await call('POST', '/uploads', {
    token,
    json: { content_type: 'image/jpeg', bytes: PHONE.length, original_name: 'large.jpg' },
  })
  expect(opened.status).toBe(201)
  const complete = () => call('POST', `/uploads/${opened.text('id')}/complete`, { token })

  const early = await complete()
  expect(early.body).toMatchObject({ code: 'upload_incomplete', retryable: true })

  const put = await fetch(opened.text('upload_url'), {
    method: 'PUT',
    body: new Uint8Array(PHONE),
    headers: { 'content-type': 'image/jpeg' },
  })
  expect(put.status).toBe(200)

  const done = await complete()
  const again = await complete()
  expect(done.status).toBe(201)
  expect(done.part('photo')).toMatchObject({
    content_type: 'image/jpeg',
    original_name: 'large.jpg',
  })
  expect(again.status).toBe(200)
  expect(again.part('photo')).toEqual(done.part('photo'))
  const { bytes } = await bytesOf(token, String(done.part('photo')['id']))
  expect(bytes.length).toBe(done.part('photo')['bytes'])
})

test('photos are listed newest first, page by page', async () => {
  const user = await register()
  const ids: unknown[] = []
  for (const name of ['1.png', '2.png', '3.png']) {
    const given = await call('POST', '/file', { token: user.access, body: photoForm(PIXEL, name) })
    ids.unshift(given.part('photo')['id'])
  }

  const first = await call('GET', '/photos?page_size=2', { token: user.access })
  const second = await call(
    'GET',
    `/photos?page_size=2&page_token=${first.text('next_page_token')}`,
    { token: user.access },
  )

  const seen = [...first.list('photos'), ...second.list('photos')].map((photo) => photo['id'])
  expect(seen).toEqual(ids)
  expect(second.body).not.toHaveProperty('next_page_token')
})
