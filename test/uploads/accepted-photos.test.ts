import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { call } from '../app.ts'
import { png } from '../image/build-png.ts'
import { photos, polyglots } from '../image/corpus.ts'
import {
  onlyStored,
  photoOf,
  pngOf,
  sha256,
  storedBytes,
  storedFor,
  test,
  upload,
  userIdOf,
} from './stored-app.ts'

const FORMATS = ['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif', 'image/heic']

test.for(FORMATS)(
  'UP-05 %s is told by its bytes, whatever is declared',
  async (contentType, { app, user }) => {
    const file = photos.find((photo) => photo.contentType === contentType)?.file ?? ''

    const answer = await call(app.url, 'POST', '/file', {
      token: user.accessToken,
      body: readFileSync(file),
      headers: { 'content-type': 'image/bmp' },
    })

    expect(answer.status).toBe(201)
    expect(photoOf(answer)['content_type']).toBe(contentType)
  },
)

test('a PNG that is called .html is stored and served as image/png', async ({ app, user }) => {
  const answer = await upload(app, user, png(), { fileName: 'page.html' })

  const { response } = await storedBytes(app, user, photoOf(answer)['id'])
  expect(photoOf(answer)['content_type']).toBe('image/png')
  expect(response.headers.get('content-type')).toBe('image/png')
})

test.for(polyglots)(
  'UP-08 of $name only the image is stored',
  async ({ bytes, imageBytes }, { app, user }) => {
    const sent = bytes()
    const line = `trailing_bytes_cut bytes=${sent.length - imageBytes}`

    const photo = photoOf(await upload(app, user, sent))

    const stored = await storedBytes(app, user, photo['id'])
    await expect.poll(() => app.process.output()).toContain(line)
    expect(stored.bytes).toEqual(sent.subarray(0, imageBytes))
    expect(photo).toMatchObject({ bytes: imageBytes, sha256: sha256(stored.bytes) })
  },
)

const NAMES = [
  { sent: '../../etc/passwd', shown: 'passwd' },
  { sent: 'C:\\photos\\beach.jpg', shown: 'beach.jpg' },
  { sent: '..', shown: 'photo' },
  { sent: 'gnp.\u202egpj', shown: 'gnp.gpj' },
  { sent: 'Cafe\u0301.jpg', shown: 'Caf\u00e9.jpg' },
  { sent: 'x'.repeat(10_000), shown: 'x'.repeat(255) },
]

test.for(NAMES)('UP-10 a name is only shown: $shown', async ({ sent, shown }, { app, user }) => {
  const photo = photoOf(await upload(app, user, png(), { fileName: sent }))

  expect(photo['original_name']).toBe(shown)
  expect(photo['id']).toMatch(/^[A-Za-z0-9_-]{22}$/)
  expect((await storedFor(app, user)).objects).toEqual([`photos/${userIdOf(user)}/${photo['id']}`])
})

test('a line break in a name reaches no header and no object name', async ({ app, user }) => {
  const body = Buffer.concat([
    Buffer.from(
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a\rX-Evil: 1.png"\r\n\r\n',
    ),
    png(),
    Buffer.from('\r\n--b--\r\n'),
  ])

  const answer = await call(app.url, 'POST', '/file', {
    token: user.accessToken,
    body,
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  })

  const shown = answer.status === 201 ? String(photoOf(answer)['original_name']) : ''
  expect([201, 400]).toContain(answer.status)
  expect(shown).not.toMatch(/\p{Cc}/u)
})

test('UP-11 the object has its type, is not cached, knows its upload, and is what the record says', async ({
  app,
  user,
}) => {
  const sent = pngOf(300_000)

  const photo = photoOf(await upload(app, user, sent))

  const { response, bytes } = await storedBytes(app, user, photo['id'])
  expect(response.headers.get('content-type')).toBe('image/png')
  expect(response.headers.get('cache-control')).toBe('private, no-store')
  expect(response.headers.get('x-goog-meta-uploadid')).toBe(photo['id'])
  expect(bytes.equals(sent)).toBe(true)
  expect(photo).toMatchObject({ bytes: sent.length, sha256: sha256(sent) })
  expect(await storedFor(app, user)).toEqual(onlyStored(user, [photo]))
})
