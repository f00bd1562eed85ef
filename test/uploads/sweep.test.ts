import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { objectName, quarantineName } from '../../shared/domain/photo.ts'
import { keyDocument } from '../../shared/store/idempotency-keys.ts'
import { sweep } from '../../shared/store/sweep.ts'
import { registerUser } from '../app.ts'
import { startNode } from '../processes.ts'
import { inMinutes, plantDirectUpload, plantObject, plantOrphan, plantPending } from './planted.ts'
import {
  listed,
  NOTHING_STORED,
  onlyStored,
  photoOf,
  pngOf,
  type StoredApp,
  startStoredApp,
  storedFor,
  upload,
  userIdOf,
} from './stored-app.ts'

let app: StoredApp
beforeAll(async () => {
  app = await startStoredApp()
})
afterAll(() => app.close())

const now = () => sweep({ ...app, isLate: () => false })
/** Ids are global; each test has its own. */
const named = (prefix: string, name: string) => `${prefix}-${name}-${Date.now()}`

test('what is old is removed, of every kind, and what it held is free', async () => {
  const user = await registerUser(app.url)
  const photo = photoOf(await upload(app, user, pngOf(500)))
  const id = (name: string) => named('old', name)
  const removeAfter = inMinutes(-1)
  await plantPending(app, user, { id: id('with-object'), removeAfter, withObject: true })
  await plantPending(app, user, { id: id('without'), removeAfter, withObject: false })
  await plantOrphan(app, user, id('orphan'), removeAfter)
  await plantDirectUpload(app, user, { id: id('unsent'), removeAfter, sent: false })
  await plantDirectUpload(app, user, { id: id('sent'), removeAfter, sent: true })
  await plantDirectUpload(app, user, { id: id('over'), removeAfter, sent: true, state: 'over' })

  const swept = await now()

  expect(swept).toMatchObject({ pending_photos: 2, orphans: 3, direct_uploads: 3 })
  expect(await storedFor(app, user)).toEqual(onlyStored(user, [photo]))
  expect(await now()).toMatchObject({ pending_photos: 0, orphans: 0, direct_uploads: 0 })
})

test('what is young stays, of every kind', async () => {
  const user = await registerUser(app.url)
  const id = (name: string) => named('young', name)
  const removeAfter = inMinutes(1)
  await plantPending(app, user, { id: id('pending'), removeAfter, withObject: true })
  await plantOrphan(app, user, id('orphan'), removeAfter)
  await plantDirectUpload(app, user, { id: id('sent'), removeAfter, sent: true })
  await plantDirectUpload(app, user, { id: id('unsent'), removeAfter, sent: false })
  await plantObject(app, objectName(userIdOf(user), id('unnamed')))
  const before = await storedFor(app, user)

  await now()

  expect(before.objects).toHaveLength(4)
  expect(await storedFor(app, user)).toEqual(before)
})

test('a direct upload that a complete is working on is never touched', async () => {
  const user = await registerUser(app.url)
  const lease = { leaseUntil: inMinutes(0.4), removeAfter: inMinutes(-1) }
  await plantDirectUpload(app, user, { id: named('leased', 'upload'), sent: true, ...lease })
  const before = await storedFor(app, user)

  await now()

  expect(await storedFor(app, user)).toEqual(before)
})

test('the quarantine of a completed upload is emptied, and a day later it is forgotten', async () => {
  const user = await registerUser(app.url)
  const photo = photoOf(await upload(app, user, pngOf(500)))
  const id = named('completed', 'upload')
  const done = { state: 'completed', photoId: String(photo['id']) } as const
  await plantDirectUpload(app, user, { id, removeAfter: inMinutes(-1), sent: true, ...done })

  await now()
  const emptied = await storedFor(app, user)
  await sweep({ ...app, isLate: () => false, now: inMinutes(25 * 60) })

  expect(emptied).toEqual({ ...onlyStored(user, [photo]), direct_uploads: [id] })
  expect(await storedFor(app, user)).toEqual(onlyStored(user, [photo]))
})

test('an object that no record names is removed after a day, one with a record never', async () => {
  const user = await registerUser(app.url)
  const userId = userIdOf(user)
  const photo = photoOf(await upload(app, user, pngOf(500)))
  const strays = [
    objectName(userId, named('stray', 'photo')),
    quarantineName(userId, named('stray', 'upload')),
  ]
  for (const name of strays) await plantObject(app, name)

  await sweep({ ...app, isLate: () => false, now: inMinutes(23 * 60) })
  const young = await storedFor(app, user)
  const swept = await sweep({ ...app, isLate: () => false, now: inMinutes(25 * 60) })

  expect(young.objects).toHaveLength(3)
  expect(swept.unnamed_objects).toBeGreaterThanOrEqual(2)
  expect(await storedFor(app, user)).toEqual(onlyStored(user, [photo]))
})

test('the key of an upload that died is free after the sweep', async () => {
  const user = await registerUser(app.url)
  const ownerId = userIdOf(user)
  const id = named('keyed', 'upload')
  await plantPending(app, user, { id, removeAfter: inMinutes(-1), withObject: false })
  const { database } = app
  const keyId = named('key', ownerId)
  await database.client().collection('pending_photos').doc(id).update({ key_id: keyId })
  await keyDocument(database, keyId).create({ state: 'running', attempt_id: id })

  await now()

  expect((await keyDocument(database, keyId).get()).exists).toBe(false)
})

/** An upload whose second half waits until `finish`. */
function halfUpload(token: string, photo: Buffer) {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const sent = request(`${app.url}/file`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'image/png',
      'content-length': photo.length,
    },
  })
  sent.on('error', reject)
  sent.on('response', (response) => {
    response.resume()
    resolve(response.statusCode ?? 0)
  })
  sent.write(photo.subarray(0, photo.length / 2))
  return { finish: () => sent.end(photo.subarray(photo.length / 2)), status: promise }
}

test('F27: a sweep beside a running upload takes nothing from it', async () => {
  const user = await registerUser(app.url)
  const running = halfUpload(user.accessToken, pngOf(600_000))
  const isPending = async () => (await storedFor(app, user)).pending_photos.length
  await expect.poll(isPending, { timeout: 10_000 }).toBe(1)

  await now()
  running.finish()

  expect(await running.status).toBe(201)
  expect(await storedFor(app, user)).toEqual(onlyStored(user, await listed(app, user)))
})

test('F27: an upload that the sweep has given up is refused, and its object goes', async () => {
  const user = await registerUser(app.url)
  const running = halfUpload(user.accessToken, pngOf(600_000))
  const isPending = async () => (await storedFor(app, user)).pending_photos.length
  await expect.poll(isPending, { timeout: 10_000 }).toBe(1)

  await sweep({ ...app, isLate: () => false, now: inMinutes(20) })
  running.finish()
  const status = await running.status
  await sweep({ ...app, isLate: () => false, now: inMinutes(25 * 60) })

  expect(status).toBe(401)
  expect(await listed(app, user)).toEqual([])
  expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
})

test('npm run sweep works beside a running npm start and prints what it removed', async () => {
  const user = await registerUser(app.url)
  await plantPending(app, user, {
    id: named('cli', 'pending'),
    removeAfter: inMinutes(-1),
    withObject: true,
  })

  const tool = startNode(['infra/run.js', 'sweep'], { WOWMEDIA_DATA_DIR: app.dataDir })
  const code = await tool.ended

  expect(code).toBe(0)
  expect(tool.output()).toMatch(/^Swept: pending photos 1, orphans 1, /)
  expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
})

test('npm run sweep says in one line what it does not know', async () => {
  const tool = startNode(['infra/run.js', 'sweep', '--everything'], {
    WOWMEDIA_DATA_DIR: app.dataDir,
  })

  expect(await tool.ended).toBe(1)
  expect(tool.output().trim().split('\n')).toHaveLength(1)
})
