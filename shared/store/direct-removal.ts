/** The end of direct uploads that did not become a photo: session, quarantine, record (contract 6). */
import { type DirectUpload, isLeased } from '../domain/direct-upload.ts'
import { quarantineName } from '../domain/photo.ts'
import {
  directUploadIn,
  forgetDirectUpload,
  readDirectUpload,
  releaseDirectUpload,
} from './direct-uploads.ts'
import type { Database } from './firestore.ts'
import type { PhotoFiles } from './photo-files.ts'
import { cancelSession } from './upload-session.ts'
import { usageDocument } from './usage.ts'

/** Removes what was sent, and then the record, of an upload that is over. Safe to run again. */
export async function discardDirectUpload(
  database: Database,
  files: PhotoFiles,
  upload: DirectUpload,
): Promise<void> {
  if (upload.sessionUrl !== undefined) await cancelSession(upload.sessionUrl)
  await files.remove(quarantineName(upload.ownerId, upload.id))
  await forgetDirectUpload(database, upload.id)
}

/**
 * Ends an upload that is open, provided that no complete is at work or was faster: what it held is free. Returns
 * whether it is over now.
 */
export async function closeDirectUpload(
  database: Database,
  uploadId: string,
  now: Date,
): Promise<boolean> {
  const { read, upload } = await readDirectUpload(database, uploadId)
  const { updateTime } = read
  if (upload === undefined || updateTime === undefined) return false
  if (upload.state !== 'open' || isLeased(upload, now)) return upload.state === 'over'
  const { documents } = await database.getAll(usageDocument(database, upload.ownerId))
  const isHeld = documents.some((usage) => usage.exists)
  const outcome = await database.commit((write) => {
    const over = { state: 'over', remove_after: now }
    write.update(read.ref, over, { lastUpdateTime: updateTime })
    if (isHeld) releaseDirectUpload(write, database, upload)
  })
  return outcome === 'committed'
}

/** At most `limit` uploads whose time has come, the oldest first. */
export async function dueDirectUploads(
  database: Database,
  now: Date,
  limit: number,
): Promise<DirectUpload[]> {
  const found = await database.read((client) =>
    client
      .collection('direct_uploads')
      .where('remove_after', '<=', now)
      .orderBy('remove_after')
      .limit(limit)
      .get(),
  )
  return found.docs.flatMap((document) => directUploadIn(document) ?? [])
}

/** At most `limit` uploads of one user, in whatever state. */
export async function directUploadsOf(
  database: Database,
  userId: string,
  limit: number,
): Promise<DirectUpload[]> {
  const found = await database.read((client) =>
    client.collection('direct_uploads').where('owner_id', '==', userId).limit(limit).get(),
  )
  return found.docs.flatMap((document) => directUploadIn(document) ?? [])
}
