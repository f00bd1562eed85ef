import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { expect, test, vi } from 'vitest'
import { openDatabase } from '../../shared/store/firestore.ts'
import { openPhotoFiles } from '../../shared/store/photo-files.ts'
import { sweep } from '../../shared/store/sweep.ts'
import { call, registerUser, startApp, type User } from '../app.ts'
import { png } from '../image/build-png.ts'
import { runCommand } from './command.ts'
import type { Stores } from './stored-account.ts'

vi.setConfig({ testTimeout: 120_000 })

function storesOf(environment: Readonly<Record<string, string>>): Stores {
  Object.assign(process.env, environment)
  const { GOOGLE_CLOUD_PROJECT = '', FIRESTORE_DATABASE = '', PHOTO_BUCKET = '' } = environment
  const database = openDatabase({ GOOGLE_CLOUD_PROJECT, FIRESTORE_DATABASE })
  return { database, files: openPhotoFiles({ PHOTO_BUCKET }) }
}

/** An upload that has sent half of its photo. */
function beginUpload(url: string, { accessToken }: User): ClientRequest {
  const photo = png()
  const sent = request(`${url}/file`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${accessToken}`,
      'content-type': 'image/png',
      'content-length': photo.length,
    },
  })
  sent.write(photo.subarray(0, photo.length / 2))
  return sent
}

async function statusOf(sent: ClientRequest): Promise<number> {
  const [answer]: IncomingMessage[] = await once(sent, 'response')
  answer?.resume()
  return answer?.statusCode ?? 0
}

async function countIn({ database }: Stores, collection: string): Promise<number> {
  return (await database.client().collection(collection).count().get()).data().count
}

test('an upload under way when all are deleted never becomes a photo; the rest goes once it cannot write any more', async () => {
  const app = await startApp()
  const [admin, user] = [await registerUser(app.url), await registerUser(app.url)]
  await runCommand('admin', ['grant', admin.username], { WOWMEDIA_DATA_DIR: app.dataDir })
  const stores = storesOf(app.environment)
  const upload = beginUpload(app.url, user)
  const answered = statusOf(upload)
  await expect.poll(() => countIn(stores, 'pending_photos'), { timeout: 20_000 }).toBe(1)

  const deleted = await call(app.url, 'DELETE', '/users', { token: admin.accessToken })
  upload.end(png().subarray(png().length / 2))
  const status = await answered
  const photos = await countIn(stores, 'photos')
  const hourLater = new Date(Date.now() + 3_600_000)
  const swept = await sweep({ ...stores, now: hourLater, isLate: () => false })

  const left = [await countIn(stores, 'users'), await countIn(stores, 'orphans')]
  const objects = await stores.files.list('', 100)
  await stores.database.client().terminate()
  await app.close()
  expect(deleted.status).toBe(202)
  expect(deleted.body).toEqual({
    message: '0 row(s) deleted',
    users: 0,
    sessions: 1,
    photos: 0,
    finished: false,
  })
  expect(status).toBe(401)
  expect({ photos, objects }).toEqual({ photos: 0, objects: [] })
  expect(swept.accounts).toBe(1)
  expect(left).toEqual([1, 0])
})
