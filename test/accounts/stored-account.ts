/** An account with something of everything that can belong to one, and a look at what is left of it. */
import { randomBytes } from 'node:crypto'
import type { DirectUpload } from '../../shared/domain/direct-upload.ts'
import { directUploadUntil } from '../../shared/domain/orphans.ts'
import { objectName, quarantineName } from '../../shared/domain/photo.ts'
import { NO_USAGE } from '../../shared/domain/quota.ts'
import { openSession } from '../../shared/domain/session.ts'
import { createDirectUpload, openDirectUpload } from '../../shared/store/direct-uploads.ts'
import type { Database, Transaction } from '../../shared/store/firestore.ts'
import { keyDocument, keyIdOf } from '../../shared/store/idempotency-keys.ts'
import { startAccountCounter } from '../../shared/store/login-attempts.ts'
import { createOrphan } from '../../shared/store/orphans.ts'
import { createPendingPhoto } from '../../shared/store/pending-photos.ts'
import type { PhotoFiles } from '../../shared/store/photo-files.ts'
import { photoFields } from '../../shared/store/photo-record.ts'
import { photoDocument } from '../../shared/store/photos.ts'
import { rateLimitDocument, USER_LIMITS, userLimitId } from '../../shared/store/rate-limits.ts'
import { createSession } from '../../shared/store/sessions.ts'
import { usageDocument, usageFields } from '../../shared/store/usage.ts'
import { reserveUsername } from '../../shared/store/usernames.ts'
import { createUser } from '../../shared/store/users.ts'

export type Stores = { readonly database: Database; readonly files: PhotoFiles }
export type StoredAccount = {
  readonly userId: string
  readonly username: string
  readonly counterId: string
  /** Of the direct upload; nothing was sent to it yet. */
  readonly sessionUrl: string
}

const DAYS = { REFRESH_TOKEN_IDLE_DAYS: 30, REFRESH_TOKEN_MAX_DAYS: 180 }

export function newId(): string {
  return randomBytes(16).toString('base64url')
}

async function putObject(files: PhotoFiles, name: string): Promise<void> {
  const session = await files.startSession({ name, contentType: 'image/png', uploadId: newId() })
  const answer = await fetch(session, { method: 'PUT', body: 'bytes' })
  if (!answer.ok) throw new Error(`the object was not written: ${answer.status}`)
}

type NewAccount = Omit<StoredAccount, 'sessionUrl'>

function signUp(write: Transaction, database: Database, account: NewAccount, now: Date): void {
  const { userId, username, counterId } = account
  const shared = { counterId, sessionEpoch: 0, createdAt: now }
  reserveUsername(write, database, {
    ...shared,
    ...{ username, userId, passwordHash: 'a hash', operationId: newId() },
  })
  const user = { ...shared, id: userId, username, role: 'user', deletingAt: undefined } as const
  createUser(write, database, user)
  write.create(usageDocument(database, userId), usageFields({ ...NO_USAGE, photoCount: 2 }))
  const keys = { address: newId(), account: counterId, network: newId() }
  startAccountCounter(write, database, keys, now)
  for (const limit of USER_LIMITS) {
    write.create(rateLimitDocument(database, userLimitId(limit, userId)), { hits: Buffer.alloc(8) })
  }
}

function addSession(write: Transaction, database: Database, userId: string, now: Date): void {
  const given = { id: newId(), userId, sessionEpoch: 0, currentHash: 'x', name: 'phone' }
  createSession(write, database, openSession({ ...given, network: '192.0.2.0/24' }, DAYS, now))
}

function addPhoto(write: Transaction, database: Database, ownerId: string, now: Date): string {
  const id = newId()
  const name = objectName(ownerId, id)
  const sums = { sha256: 'a', receivedSha256: 'b', bytes: 5, width: 1, height: 1 }
  const shown = { contentType: 'image/png', originalName: 'photo', createdAt: now } as const
  const photo = { ...sums, ...shown, id, ownerId, objectName: name, generation: '1' }
  write.create(photoDocument(database, id), photoFields(photo))
  return name
}

/** Uploads by this service: one on its way and one that was given up; their objects. */
function addUploads(write: Transaction, database: Database, ownerId: string, now: Date) {
  const [pending, orphan] = [newId(), newId()]
  const keyId = keyIdOf(ownerId, 'file', 'a key')
  const answered = keyIdOf(ownerId, 'file', 'an answered key')
  for (const id of [keyId, answered]) {
    write.create(keyDocument(database, id), { user_id: ownerId, purge_at: now })
  }
  const names = [objectName(ownerId, pending), objectName(ownerId, orphan)] as const
  const removeAfter = new Date(now.getTime() + 60_000)
  const claim = { id: pending, ownerId, objectName: names[0], reservedBytes: 5, removeAfter, keyId }
  createPendingPhoto(write, database, claim)
  createOrphan(write, database, { id: orphan, ownerId, objectName: names[1], removeAfter: now })
  return names
}

/** An upload straight into the bucket, open, with something in quarantine; its session. */
async function addDirectUpload({ database, files }: Stores, ownerId: string, now: Date) {
  const id = newId()
  const expiresAt = new Date(now.getTime() + 3_600_000)
  const upload: DirectUpload = {
    ...{ id, ownerId, contentType: 'image/png', bytes: 5, sha256: undefined, state: 'open' },
    ...{ originalName: 'photo', photoId: undefined, leaseUntil: undefined, keyId: undefined },
    ...{ expiresAt, removeAfter: directUploadUntil(expiresAt), sessionUrl: undefined },
  }
  const name = quarantineName(ownerId, id)
  await database.commit((write) => createDirectUpload(write, database, upload))
  const url = await files.startSession({ name, contentType: 'image/png', uploadId: id, bytes: 5 })
  await openDirectUpload(database, upload, url, 'a', now)
  await putObject(files, name)
  return url
}

/** Signs up, with two devices, two photos and three uploads under way, all with their objects. */
export async function storeAccount(stores: Stores, now: Date): Promise<StoredAccount> {
  const { database, files } = stores
  const account = { userId: newId(), username: `gone-${newId().toLowerCase()}`, counterId: newId() }
  let names: readonly string[] = []
  await database.commit((write) => {
    signUp(write, database, account, now)
    addSession(write, database, account.userId, now)
    addSession(write, database, account.userId, now)
    const photos = [1, 2].map(() => addPhoto(write, database, account.userId, now))
    names = [...photos, ...addUploads(write, database, account.userId, now)]
  })
  for (const name of names) await putObject(files, name)
  return { ...account, sessionUrl: await addDirectUpload(stores, account.userId, now) }
}

/** Paths of all documents and names of all objects that name the account in any way. */
export async function leftOf({ database, files }: Stores, account: StoredAccount) {
  const collections = await database.client().listCollections()
  const reads = await Promise.all(collections.map((collection) => collection.get()))
  const marks = Object.values(account)
  const names = (text: string) => marks.some((mark) => text.includes(mark))
  const documents = reads.flatMap(({ docs }) => docs)
  const objects = await files.list('', 10_000)
  return [
    ...documents
      .filter((document) => names(`${document.ref.path} ${JSON.stringify(document.data())}`))
      .map((document) => document.ref.path),
    ...objects.map((object) => object.name).filter(names),
  ]
}
