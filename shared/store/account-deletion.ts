/**
 * Removes an account whose deletion has begun, step by step (PRIV-01). Each step may be stopped anywhere and run again,
 * by another call, by the sweep or by several at once. The name goes last, together with the user.
 */
import type { Query } from '@google-cloud/firestore'
import type { DirectUpload } from '../domain/direct-upload.ts'
import { directUploadsOf, discardDirectUpload } from './direct-removal.ts'
import { fieldsOf } from './fields.ts'
import type { Database, DocumentSnapshot } from './firestore.ts'
import { freeKey } from './idempotency-keys.ts'
import { createOrphan, forgetOrphan, orphansOf } from './orphans.ts'
import { endPendingPhoto, pendingPhotoOf } from './pending-photos.ts'
import type { PhotoFiles } from './photo-files.ts'
import { rateLimitDocument, USER_LIMITS, userLimitId } from './rate-limits.ts'
import { askSession, cancelSession } from './upload-session.ts'
import { usageDocument } from './usage.ts'
import { accountOf, usernameReference } from './usernames.ts'
import { type User, userReference } from './users.ts'

/** What was removed; sessions that had ended before and photos that were never visible don't count. */
export type Removed = { readonly users: number; readonly sessions: number; readonly photos: number }

export const NOTHING_REMOVED: Removed = { users: 0, sessions: 0, photos: 0 }

export function addRemoved(one: Removed, other: Removed): Removed {
  return {
    users: one.users + other.users,
    sessions: one.sessions + other.sessions,
    photos: one.photos + other.photos,
  }
}

export type DeletionOutcome = {
  readonly removed: Removed
  /** False where time was up, or where an upload may still be writing; the sweep goes on. */
  readonly finished: boolean
}

export type AccountRemoval = {
  readonly database: Database
  readonly files: PhotoFiles
  readonly user: Pick<User, 'id' | 'username' | 'counterId'>
  /** Firestore's time, for what uploads may still write. */
  readonly now: Date
  /** True once no further batch is to be begun. */
  isLate(): boolean
}

/** Documents that are read and written at a time. */
const BATCH = 100
/** Objects that are removed at the same time. */
const PARALLEL = 8

/**
 * Goes on with one account until nothing of it is left or `isLate`. Its deletion has begun
 * (`beginDeletion`). Throws `unavailable`; what was removed by then stays removed.
 */
export async function removeAccount(work: AccountRemoval): Promise<DeletionOutcome> {
  const steps = [
    endUploads,
    removeDirectUploads,
    removePhotos,
    removeOrphans,
    removeKeys,
    removeSessions,
  ]
  let removed = NOTHING_REMOVED
  let finished = true
  for (const step of steps) {
    const outcome = await step(work)
    removed = addRemoved(removed, outcome.removed)
    finished &&= outcome.finished
  }
  if (!finished) return { removed, finished }
  const users = await removeUser(work)
  return { removed: { ...removed, users }, finished: true }
}

/** Runs `remove` on batch after batch of the query's documents until there are none. */
async function inBatches(
  work: AccountRemoval,
  query: (client: ReturnType<Database['client']>) => Query,
  remove: (documents: readonly DocumentSnapshot[]) => Promise<Partial<Removed>>,
): Promise<DeletionOutcome> {
  let removed = NOTHING_REMOVED
  for (;;) {
    const found = await work.database.read((client) => query(client).limit(BATCH).get())
    if (found.empty) return { removed, finished: true }
    if (work.isLate()) return { removed, finished: false }
    removed = addRemoved(removed, { ...NOTHING_REMOVED, ...(await remove(found.docs)) })
  }
}

async function deleteAll(
  work: AccountRemoval,
  documents: readonly DocumentSnapshot[],
): Promise<void> {
  await work.database.commit((transaction) => {
    for (const document of documents) transaction.delete(document.ref)
  })
}

/** No object outlives its record: what an upload may still be writing is left to the sweep as an orphan. */
function endUploads(work: AccountRemoval): Promise<DeletionOutcome> {
  const { database, user } = work
  return inBatches(
    work,
    (client) => client.collection('pending_photos').where('owner_id', '==', user.id),
    async (documents) => {
      for (const document of documents) {
        const pending = pendingPhotoOf(document.id, fieldsOf(document))
        await database.commit((transaction) => {
          endPendingPhoto(transaction, database, pending.id)
          createOrphan(transaction, database, pending)
          if (pending.keyId !== undefined) freeKey(transaction, database, pending.keyId)
        })
      }
      return {}
    },
  )
}

/** Sessions are cancelled first, so that nothing is sent to them any more; one that can't be is left to the sweep. */
async function removeDirectUploads(work: AccountRemoval): Promise<DeletionOutcome> {
  const { database, user } = work
  let left = 0
  for (;;) {
    const uploads = await directUploadsOf(database, user.id, BATCH + left)
    if (uploads.length <= left) return { removed: NOTHING_REMOVED, finished: left === 0 }
    if (work.isLate()) return { removed: NOTHING_REMOVED, finished: false }
    const gone = await Promise.all(uploads.map((upload) => discardClosed(work, upload)))
    left = gone.filter((isGone) => !isGone).length
  }
}

async function discardClosed(work: AccountRemoval, upload: DirectUpload): Promise<boolean> {
  if (!(await isClosed(upload.sessionUrl))) return false
  await discardDirectUpload(work.database, work.files, upload)
  return true
}

async function isClosed(sessionUrl: string | undefined): Promise<boolean> {
  if (sessionUrl === undefined || (await cancelSession(sessionUrl))) return true
  return (await askSession(sessionUrl)).state !== 'open'
}

function removePhotos(work: AccountRemoval): Promise<DeletionOutcome> {
  return inBatches(
    work,
    (client) => client.collection('photos').where('owner_id', '==', work.user.id),
    async (documents) => {
      await removeObjects(
        work,
        documents.map((document) => fieldsOf(document).text('object_name')),
      )
      await deleteAll(work, documents)
      return { photos: documents.length }
    },
  )
}

async function removeObjects(work: AccountRemoval, names: readonly string[]): Promise<void> {
  for (let from = 0; from < names.length; from += PARALLEL) {
    const some = names.slice(from, from + PARALLEL)
    await Promise.all(some.map((name) => work.files.remove(name)))
  }
}

/** Objects of uploads that were given up; one that may still be written is left until its time has come. */
async function removeOrphans(work: AccountRemoval): Promise<DeletionOutcome> {
  for (;;) {
    const orphans = await orphansOf(work.database, work.user.id, BATCH)
    const due = orphans.filter((orphan) => orphan.removeAfter <= work.now)
    if (due.length === 0 || work.isLate()) {
      return { removed: NOTHING_REMOVED, finished: orphans.length === 0 }
    }
    await removeObjects(
      work,
      due.map((orphan) => orphan.objectName),
    )
    for (const orphan of due) await forgetOrphan(work.database, orphan.id)
  }
}

function removeKeys(work: AccountRemoval): Promise<DeletionOutcome> {
  return inBatches(
    work,
    (client) => client.collection('idempotency_keys').where('user_id', '==', work.user.id),
    async (documents) => {
      await deleteAll(work, documents)
      return {}
    },
  )
}

function removeSessions(work: AccountRemoval): Promise<DeletionOutcome> {
  return inBatches(
    work,
    (client) => client.collection('sessions').where('user_id', '==', work.user.id),
    async (documents) => {
      await deleteAll(work, documents)
      return { sessions: documents.filter((one) => one.get('revoked_at') === null).length }
    },
  )
}

/** Counters, user and name in one commit; 0 where another run was faster, so that a name of somebody new stays. */
async function removeUser({ database, user }: AccountRemoval): Promise<number> {
  const name = usernameReference(database, user.username)
  const { documents } = await database.getAll(name)
  const isOwn = documents.some((document) => accountOf(document)?.userId === user.id)
  const outcome = await database.commit((transaction) => {
    transaction.delete(userReference(database, user.id), { exists: true })
    transaction.delete(usageDocument(database, user.id))
    for (const limit of USER_LIMITS) {
      transaction.delete(rateLimitDocument(database, userLimitId(limit, user.id)))
    }
    if (user.counterId !== '') transaction.delete(rateLimitDocument(database, user.counterId))
    if (isOwn) transaction.delete(name)
  })
  return outcome === 'committed' ? 1 : 0
}
