import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { objectName } from '../../shared/domain/photo.ts'
import { findPhoto } from '../../shared/store/photos.ts'
import { sweep } from '../../shared/store/sweep.ts'
import type { User } from '../app.ts'
import { type FunctionsCloud, startFunctionsCloud } from './functions-cloud.ts'
import { inMinutes } from './planted.ts'
import { inParallel, pngOf, storedFor, userIdOf } from './stored-app.ts'

const KILLS = process.env['FULL'] === '1' ? 200 : 20
const UPLOADS_PER_KILL = 4
const PIECES = 8

let cloud: FunctionsCloud
beforeAll(async () => {
  cloud = await startFunctionsCloud()
})
afterAll(() => cloud.close())

/** Sends a photo in pieces, with pauses; the id that the answer acknowledged, or undefined. */
async function sendSlowly(url: string, user: User): Promise<string | undefined> {
  const photo = pngOf(50_000 + Math.floor(Math.random() * 400_000))
  const sent = request(`${url}/file`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${user.accessToken}`,
      'content-type': 'image/png',
      'content-length': photo.length,
    },
  })
  sent.on('error', () => undefined)
  const answered = once(sent, 'response').catch(() => undefined)
  for (let piece = 0; piece < PIECES && !sent.destroyed; piece += 1) {
    const from = Math.floor((photo.length * piece) / PIECES)
    sent.write(photo.subarray(from, Math.floor((photo.length * (piece + 1)) / PIECES)))
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
  }
  sent.end()
  const [response] = (await answered) ?? []
  return response === undefined ? undefined : await acknowledged(response)
}

async function acknowledged(response: AsyncIterable<Buffer>): Promise<string | undefined> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of response) chunks.push(chunk)
  } catch {
    return undefined
  }
  const found = /"id":"([A-Za-z0-9_-]{22})"/.exec(Buffer.concat(chunks).toString())
  return found?.[1]
}

/** One process, killed at a random moment while it takes photos in; the ids that it acknowledged. */
async function killAmid(user: User): Promise<readonly string[]> {
  const server = await cloud.start('upload', { UPLOAD_LIMIT: '100000/minute' })
  const first = await sendSlowly(server.url, user)
  const uploads = Array.from({ length: UPLOADS_PER_KILL }, () => sendSlowly(server.url, user))
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 300))
  await server.process.stop('SIGKILL')
  return [first, ...(await Promise.all(uploads))].filter((id) => id !== undefined)
}

test(`after ${KILLS} kills amid uploads no photo is partial, and after the sweep nothing is left over`, {
  timeout: 1_200_000,
  retry: 0,
}, async () => {
  const user = await cloud.user()
  const userId = userIdOf(user)

  const ids = (await inParallel(Array.from({ length: KILLS }), 2, () => killAmid(user))).flat()

  const left = await storedFor(cloud, user)
  expect(left.photos).toEqual(expect.arrayContaining(ids))
  for (const id of left.photos) {
    const photo = await findPhoto(cloud.database, userId, id)
    const object = await cloud.files.find(objectName(userId, id))
    expect(object).toMatchObject({ bytes: photo?.bytes, generation: photo?.generation })
  }
  await sweep({ ...cloud, isLate: () => false })
  expect((await storedFor(cloud, user)).pending_photos).toEqual(left.pending_photos)

  const swept = await sweep({ ...cloud, isLate: () => false, now: inMinutes(16) })

  const stored = await storedFor(cloud, user)
  expect(swept.pending_photos).toBe(left.pending_photos.length)
  expect(left.pending_photos.length).toBeGreaterThan(0)
  expect(stored.objects).toEqual(stored.photos.map((id) => objectName(userId, id)).toSorted())
  expect(stored).toMatchObject({
    photos: left.photos,
    pending_photos: [],
    orphans: [],
    usage: { photo_count: left.photos.length, reserved_count: 0, reserved_bytes: 0 },
  })
})
