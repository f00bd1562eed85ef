import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { call, registerUser } from '../app.ts'
import { END, header, PIXELS, SIGNATURE } from '../image/build-png.ts'
import {
  NOTHING_STORED,
  onlyStored,
  photoOf,
  pngOf,
  type StoredApp,
  startStoredApp,
  storedFor,
  test,
  upload,
} from './stored-app.ts'

const NO_PHOTOS = [
  { what: 'SVG', bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') },
  { what: 'HTML', bytes: Buffer.from('<!doctype html><script>alert(1)</script>') },
  { what: 'PDF', bytes: Buffer.from('%PDF-1.7\n') },
  { what: 'ZIP', bytes: Buffer.from('PK\x03\x04') },
  { what: 'TIFF', bytes: Buffer.from('II*\0\x08\0\0\0') },
  { what: 'MP4', bytes: Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isommp42') },
  { what: 'BMP', bytes: Buffer.from('BM\x36\0\0\0') },
]

test.for(NO_PHOTOS)(
  '$what is no photo, whatever it is declared to be',
  async ({ bytes }, { app, user }) => {
    const answer = await call(app.url, 'POST', '/file', {
      token: user.accessToken,
      body: bytes,
      headers: { 'content-type': 'image/jpeg' },
    })

    expect(answer.status).toBe(415)
    expect(answer.body['code']).toBe('unsupported_image_type')
    expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
  },
)

test('UP-07 a PNG of 65535 by 65535 pixels in 200 bytes is refused', async ({ app, user }) => {
  const bomb = Buffer.concat([SIGNATURE, header(65_535, 65_535), PIXELS, END])

  const answer = await upload(app, user, bomb)

  expect(answer.status).toBe(422)
  expect(answer.body['code']).toBe('photo_too_many_pixels')
  expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
})

test('a second header with other dimensions is damage', async ({ app, user }) => {
  const conflicting = Buffer.concat([SIGNATURE, header(8, 8), header(9, 9), PIXELS, END])

  const answer = await upload(app, user, conflicting)

  expect(answer.body['code']).toBe('image_damaged')
})

describe('with photos of at most 200,000 bytes', () => {
  const CAP = 200_000
  let small: StoredApp
  beforeAll(async () => {
    small = await startStoredApp({ MAX_PHOTO_BYTES: String(CAP) })
  })
  afterAll(() => small.close())

  const WAYS = ['form', 'raw', 'chunked'] as const
  const sizes = [CAP - 1, CAP, CAP + 1]
  const rows = WAYS.flatMap((way) => sizes.map((bytes) => ({ way, bytes })))

  async function send(way: (typeof WAYS)[number], photo: Buffer, token: string) {
    const name = 'Content-Disposition: form-data; name="file"; filename="a.png"'
    const before = way === 'form' ? `--b\r\n${name}\r\n\r\n` : ''
    const after = way === 'form' ? '\r\n--b--\r\n' : ''
    const body = Buffer.concat([Buffer.from(before), photo, Buffer.from(after)])
    const type = way === 'form' ? 'multipart/form-data; boundary=b' : 'image/png'
    const length = way === 'chunked' ? {} : { 'content-length': body.length }
    const sent = request(`${small.url}/file`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': type, ...length },
    })
    sent.on('error', () => undefined)
    sent.end(body)
    const [response] = await once(sent, 'response')
    response.resume()
    return Number(response.statusCode)
  }

  test.for(rows)('UP-03 $bytes bytes, $way', async ({ way, bytes }) => {
    const user = await registerUser(small.url)

    const status = await send(way, pngOf(bytes), user.accessToken)

    const stored = await storedFor(small, user)
    expect(status).toBe(bytes > CAP ? 413 : 201)
    expect(stored.objects.length).toBe(bytes > CAP ? 0 : 1)
    expect(stored.usage?.['photo_bytes']).toBe(bytes > CAP ? 0 : bytes)
    expect(stored.usage?.['reserved_bytes']).toBe(0)
  })

  test('an epilogue of 100 MB is not read to its end', async () => {
    const user = await registerUser(small.url)
    const name = 'Content-Disposition: form-data; name="file"; filename="a.png"'
    const sent = request(`${small.url}/file`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${user.accessToken}`,
        'content-type': 'multipart/form-data; boundary=b',
      },
    })
    let written = 0
    sent.on('error', () => undefined)
    sent.write(`--b\r\n${name}\r\n\r\n`)
    sent.write(pngOf(1000))
    sent.write('\r\n--b--\r\n')
    const more = () => {
      while (written < 100_000_000 && !sent.destroyed) {
        written += 65_536
        if (!sent.write(Buffer.alloc(65_536))) return
      }
    }
    sent.on('drain', more)
    more()

    const [response] = await once(sent, 'response')
    sent.destroy()

    expect(response.statusCode).toBe(413)
    expect(written).toBeLessThan(20_000_000)
    expect(await storedFor(small, user)).toEqual(NOTHING_STORED)
  })

  test('a photo that fits is stored beside refused ones', async () => {
    const user = await registerUser(small.url)

    const refused = await upload(small, user, pngOf(CAP + 10_000))
    const accepted = await upload(small, user, pngOf(CAP))

    expect(refused.body['code']).toBe('photo_too_large')
    expect(await storedFor(small, user)).toEqual(onlyStored(user, [photoOf(accepted)]))
  })
})

test('a PNG chunk with a wrong CRC at the very end is refused', async ({ app, user }) => {
  const whole = pngOf(150_000)
  const wrong = Buffer.from(whole)
  wrong.writeUInt32BE(0, whole.length - END.length - 4)

  const answer = await upload(app, user, wrong)

  expect(answer.body['code']).toBe('image_damaged')
  expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
})
