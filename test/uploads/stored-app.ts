/** A running `npm start` whose bucket and database a test looks into. */
import { createHash } from 'node:crypto'
import { test as base } from 'vitest'
import { objectName } from '../../shared/domain/photo.ts'
import { type Database, openDatabase } from '../../shared/store/firestore.ts'
import { openPhotoFiles, type PhotoFiles } from '../../shared/store/photo-files.ts'
import { type Answer, type App, call, registerUser, startApp, type User } from '../app.ts'
import { chunk, END, header, SIGNATURE } from '../image/build-png.ts'

export type Stores = { readonly database: Database; readonly files: PhotoFiles }

/** The stores of this process on the servers of an environment; connected before another test can move it. */
export async function storesOf(environment: Readonly<Record<string, string>>): Promise<Stores> {
  Object.assign(process.env, environment)
  const setting = (name: string) => environment[name] ?? ''
  const database = openDatabase({
    GOOGLE_CLOUD_PROJECT: setting('GOOGLE_CLOUD_PROJECT'),
    FIRESTORE_DATABASE: setting('FIRESTORE_DATABASE'),
  })
  const files = openPhotoFiles({ PHOTO_BUCKET: setting('PHOTO_BUCKET') })
  await Promise.all([database.client().listCollections(), files.list('', 1), signOnce(files)])
  return { database, files }
}

/** The key that signs is read at the first address. */
async function signOnce(files: PhotoFiles): Promise<void> {
  const now = new Date()
  await files.signedAddress({
    name: 'none',
    contentType: 'image/png',
    contentDisposition: 'inline',
    now,
    expiresAt: new Date(now.getTime() + 60_000),
  })
}

export type StoredApp = App & Stores

export async function startStoredApp(
  env: Readonly<Record<string, string>> = {},
): Promise<StoredApp> {
  const app = await startApp({ env: { UPLOAD_LIMIT: '100000/minute', ...env } })
  const stores = await storesOf(app.environment)
  const close = async () => {
    await stores.database.client().terminate()
    await app.close()
  }
  return { ...app, ...stores, close }
}

export const test = base
  .extend('app', { scope: 'worker' }, async ({}, { onCleanup }) => {
    const app = await startStoredApp()
    onCleanup(() => app.close())
    return app
  })
  .extend('user', async ({ app }) => await registerUser(app.url))

/** Claim `sub` of an access token. */
export function userIdOf(user: User): string {
  const claims: unknown = JSON.parse(
    Buffer.from(user.accessToken.split('.')[1] ?? '', 'base64url').toString(),
  )
  const subject = typeof claims === 'object' && claims !== null && 'sub' in claims ? claims.sub : ''
  return String(subject)
}

/** A form with the photo in its part `file`. */
export function form(photo: Buffer, fileName = 'beach.jpg'): FormData {
  const fields = new FormData()
  fields.append('file', new Blob([new Uint8Array(photo)]), fileName)
  return fields
}

export async function upload(
  app: Pick<App, 'url'>,
  user: User,
  photo: Buffer,
  options: { readonly key?: string; readonly fileName?: string } = {},
): Promise<Answer> {
  const { key, fileName } = options
  const headers = key === undefined ? {} : { 'idempotency-key': key }
  const body = form(photo, fileName)
  return await call(app.url, 'POST', '/file', { token: user.accessToken, body, headers })
}

export type PhotoAnswer = Readonly<Record<string, unknown>>

function isRecord(value: unknown): value is PhotoAnswer {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function photoOf(answer: Answer): PhotoAnswer {
  const photo = answer.body['photo']
  if (!isRecord(photo)) throw new TypeError(`no photo in ${JSON.stringify(answer.body)}`)
  return photo
}

export async function listed(app: Pick<App, 'url'>, user: User): Promise<readonly PhotoAnswer[]> {
  const answer = await call(app.url, 'GET', '/photos?page_size=100', { token: user.accessToken })
  const photos = answer.body['photos']
  if (!Array.isArray(photos)) throw new TypeError(`no photos in ${answer.status}`)
  return photos.filter(isRecord)
}

/** The stored bytes, by the signed address. */
export async function storedBytes(
  app: Pick<App, 'url'>,
  user: User,
  id: unknown,
): Promise<{ readonly response: Response; readonly bytes: Buffer }> {
  const found = await call(app.url, 'GET', `/photos/${id}/content`, { token: user.accessToken })
  const response = await fetch(found.headers.get('location') ?? '')
  return { response, bytes: Buffer.from(await response.arrayBuffer()) }
}

/** Everything that is stored for a user: ids of records by collection, object names, and the numbers of the usage. */
export async function storedFor({ database, files }: Stores, user: User) {
  const userId = userIdOf(user)
  const idsIn = async (collection: string) => {
    const owned = database.client().collection(collection).where('owner_id', '==', userId)
    return (await owned.get()).docs.map((document) => document.id)
  }
  const names = (await files.list('', 10_000)).map((object) => object.name)
  const usage = await database.client().collection('usage').doc(userId).get()
  return {
    photos: await idsIn('photos'),
    pending_photos: await idsIn('pending_photos'),
    orphans: await idsIn('orphans'),
    direct_uploads: await idsIn('direct_uploads'),
    objects: names.filter((name) => name.includes(`/${userId}/`)),
    usage: usage.data(),
  }
}

/** What `storedFor` says of a user with nothing. */
export const NOTHING_STORED = {
  photos: [],
  pending_photos: [],
  orphans: [],
  direct_uploads: [],
  objects: [],
  usage: { photo_count: 0, photo_bytes: 0, reserved_count: 0, reserved_bytes: 0 },
} as const

/** What `storedFor` says of a user with exactly these photos. */
export function onlyStored(user: User, photos: readonly PhotoAnswer[]) {
  const ids = photos.map((photo) => String(photo['id']))
  const bytes = photos.reduce((sum, photo) => sum + Number(photo['bytes']), 0)
  return {
    ...NOTHING_STORED,
    photos: ids.toSorted(),
    objects: ids.map((id) => objectName(userIdOf(user), id)).toSorted(),
    usage: { ...NOTHING_STORED.usage, photo_count: ids.length, photo_bytes: bytes },
  }
}

/** A PNG of exactly so many bytes, at least 100; its pixels make no sense, its structure does. */
export function pngOf(bytes: number): Buffer {
  const around = SIGNATURE.length + header(64, 64).length + 12 + END.length
  const pixels = Buffer.alloc(bytes - around, 'wowmedia')
  return Buffer.concat([SIGNATURE, header(64, 64), chunk('IDAT', pixels), END])
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Runs `work` on every item, so many at a time; the results in the order of the items. */
export async function inParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const waiting = [...items.entries()]
  const results: [number, R][] = []
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, item] = next
      results.push([index, await work(item, index)])
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results.toSorted(([one], [other]) => one - other).map(([, result]) => result)
}
