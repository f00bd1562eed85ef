import { once } from 'node:events'
import { connect } from 'node:net'
import { expect } from 'vitest'
import type { User } from '../app.ts'
import {
  listed,
  NOTHING_STORED,
  onlyStored,
  photoOf,
  pngOf,
  type StoredApp,
  storedFor,
  test,
  upload,
} from './stored-app.ts'

const PHOTO = pngOf(400_000)

/** Sends the head and so much of the photo, then cuts the connection; with `key` it can be found again. */
async function sendAndCut(app: StoredApp, user: User, bytes: number, key: string): Promise<void> {
  const { hostname, port } = new URL(app.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  const head = [
    'POST /file HTTP/1.1',
    'Host: wowmedia',
    `Authorization: Bearer ${user.accessToken}`,
    `Idempotency-Key: ${key}`,
    'Content-Type: image/png',
    `Content-Length: ${PHOTO.length}`,
  ]
  const sent = Buffer.concat([
    Buffer.from(`${head.join('\r\n')}\r\n\r\n`),
    PHOTO.subarray(0, bytes),
  ])
  await new Promise((resolve) => socket.write(sent, resolve))
  socket.destroySoon()
  await once(socket, 'close')
}

/** Uploads whose end the server has logged. */
function ended(app: StoredApp): number {
  return app.process.output().match(/POST \/file \d/g)?.length ?? 0
}

/** What is stored once so many uploads have ended and nothing of them is under way any more. */
async function settled(app: StoredApp, user: User, uploads: number) {
  await expect.poll(() => ended(app), { timeout: 15_000, interval: 50 }).toBe(uploads)
  const pending = async () => (await storedFor(app, user)).pending_photos
  await expect.poll(pending, { timeout: 15_000, interval: 100 }).toEqual([])
  return await storedFor(app, user)
}

test.for([0, 1, 50, 99])(
  'UP-13 a connection that is cut at %i % leaves nothing at all',
  async (percent, { app, user }) => {
    const before = ended(app)

    await sendAndCut(app, user, Math.floor((PHOTO.length * percent) / 100), 'cut')

    expect(await settled(app, user, before + 1)).toEqual(NOTHING_STORED)
    expect((await upload(app, user, PHOTO, { key: 'cut' })).status).toBe(201)
  },
)

test('of a connection that is cut at 100 % the photo is there whole, and its key gives it', async ({
  app,
  user,
}) => {
  const before = ended(app)
  await sendAndCut(app, user, PHOTO.length, 'whole')
  await expect
    .poll(async () => (await listed(app, user)).length, { timeout: 15_000, interval: 100 })
    .toBe(1)

  const again = await upload(app, user, PHOTO, { key: 'whole' })

  expect(again.status).toBe(200)
  expect(await settled(app, user, before + 2)).toEqual(onlyStored(user, [photoOf(again)]))
})

test('a form that breaks off behind a whole photo leaves nothing', async ({ app, user }) => {
  const before = ended(app)
  const head = 'Content-Disposition: form-data; name="file"; filename="a.png"'
  const body = Buffer.concat([Buffer.from(`--b\r\n${head}\r\n\r\n`), PHOTO])

  const response = await fetch(`${app.url}/file`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${user.accessToken}`,
      'content-type': 'multipart/form-data; boundary=b',
    },
    body: new Uint8Array(body),
  })

  expect(response.status).toBe(400)
  expect(await settled(app, user, before + 1)).toEqual(NOTHING_STORED)
})
