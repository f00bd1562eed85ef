/**
 * What crashes left behind, removed (UP-13). A record is claimed by a commit before its object is touched, so an
 * upload that lives after all has lost its claim and cannot publish what the sweep removes (F27).
 */
import { completionKeptUntil, type DirectUpload } from '../domain/direct-upload.ts'
import { quarantineName } from '../domain/photo.ts'
import { closeDirectUpload, discardDirectUpload, dueDirectUploads } from './direct-removal.ts'
import { forgetDirectUpload, keepCompleted } from './direct-uploads.ts'
import type { Database } from './firestore.ts'
import { dueOrphans, forgetOrphan, type Orphan } from './orphans.ts'
import { type DuePendingPhoto, duePendingPhotos } from './pending-photos.ts'
import type { PhotoFiles } from './photo-files.ts'
import { orphanPendingPhoto } from './photos.ts'
import { removeMarkedAccounts } from './removal-run.ts'
import { readCursor, removeUnnamedObjects } from './unnamed-objects.ts'

export type Sweep = {
  readonly database: Database
  readonly files: PhotoFiles
  /** True once no further batch is to be begun. */
  isLate(): boolean
  /** For tests; Firestore's time otherwise. */
  readonly now?: Date
}

/** How many of each were removed. */
export type Swept = {
  readonly pending_photos: number
  readonly orphans: number
  readonly direct_uploads: number
  readonly accounts: number
  readonly unnamed_objects: number
}

const BATCH = 100
const PARALLEL = 8

/**
 * Removes what is due, batch after batch until nothing is or `isLate`; safe to run beside uploads and beside itself.
 * Throws the first failure once the rest of its batch is done.
 */
export async function sweep(run: Sweep): Promise<Swept> {
  const { from, readAt } = await readCursor(run.database)
  const now = run.now ?? readAt
  const { database, files, isLate } = run
  const pending_photos = await drain(
    run,
    () => duePendingPhotos(database, now, BATCH),
    (photo) => sweepPendingPhoto(database, photo, now),
  )
  const orphans = await drain(
    run,
    () => dueOrphans(database, now, BATCH),
    (orphan) => removeOrphan(run, orphan),
  )
  const direct_uploads = await drain(
    run,
    () => dueDirectUploads(database, now, BATCH),
    (upload) => sweepDirectUpload(run, upload, now),
  )
  const accounts = await removeMarkedAccounts({ database, files, now, isLate })
  const unnamed_objects = await removeUnnamedObjects(database, files, from, now)
  return {
    pending_photos,
    orphans,
    direct_uploads,
    accounts: accounts.removed.users,
    unnamed_objects,
  }
}

/** Runs `remove` on what is due until a batch is not full or makes no way; the number that it removed. */
async function drain<T>(
  run: Sweep,
  due: () => Promise<readonly T[]>,
  remove: (one: T) => Promise<boolean>,
): Promise<number> {
  let total = 0
  while (!run.isLate()) {
    const batch = await due()
    const removed = await removeAll(batch, remove)
    total += removed
    if (batch.length < BATCH || removed === 0) break
  }
  return total
}

async function removeAll<T>(
  batch: readonly T[],
  remove: (one: T) => Promise<boolean>,
): Promise<number> {
  const outcomes: PromiseSettledResult<boolean>[] = []
  for (let from = 0; from < batch.length; from += PARALLEL) {
    outcomes.push(...(await Promise.allSettled(batch.slice(from, from + PARALLEL).map(remove))))
  }
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') throw outcome.reason
  }
  return outcomes.filter((one) => one.status === 'fulfilled' && one.value).length
}

/** Its object, if there is one, is removed as an orphan's in the next step. */
async function sweepPendingPhoto(
  database: Database,
  due: DuePendingPhoto,
  now: Date,
): Promise<boolean> {
  return (await orphanPendingPhoto(database, due, now)) === 'committed'
}

async function removeOrphan({ database, files }: Sweep, orphan: Orphan): Promise<boolean> {
  await files.remove(orphan.objectName)
  await forgetOrphan(database, orphan.id)
  return true
}

async function sweepDirectUpload(
  { database, files }: Sweep,
  upload: DirectUpload,
  now: Date,
): Promise<boolean> {
  if (upload.state === 'completed') return await sweepCompleted(database, files, upload, now)
  const over = upload.state === 'over' || (await closeDirectUpload(database, upload.id, now))
  if (over) await discardDirectUpload(database, files, upload)
  return over
}

/** First its quarantine is emptied, should that have failed; a day later it is forgotten. */
async function sweepCompleted(
  database: Database,
  files: PhotoFiles,
  upload: DirectUpload,
  now: Date,
): Promise<boolean> {
  if (upload.sessionUrl === undefined) await forgetDirectUpload(database, upload.id)
  else {
    await files.remove(quarantineName(upload.ownerId, upload.id))
    await keepCompleted(database, upload, completionKeptUntil(now))
  }
  return true
}
