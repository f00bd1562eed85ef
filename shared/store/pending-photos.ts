/**
 * `pending_photos/{id}`: the claim of a running upload to its object and to what it holds of the quota. It is
 * written before the object, and exists exactly as long as the upload may still become a photo: whoever gives
 * the upload up removes it in the same commit, and each commit of the upload demands that it exists (UP-12).
 */
import type { Precondition } from '@google-cloud/firestore'
import { type Fields, fieldsOf } from './fields.ts'
import type { Database, DocumentReference, Transaction } from './firestore.ts'

export type PendingPhoto = {
  /** Also the id of the photo that it becomes. */
  readonly id: string
  readonly ownerId: string
  readonly objectName: string
  /** Held of the quota, with one place. */
  readonly reservedBytes: number
  /** When the sweep takes it for left behind. */
  readonly removeAfter: Date
  /** Document of the idempotency key that waits for it. */
  readonly keyId?: string | undefined
  /** The direct upload that it completes. */
  readonly directUploadId?: string | undefined
}

export function pendingPhotoDocument(database: Database, photoId: string): DocumentReference {
  return database.client().collection('pending_photos').doc(photoId)
}

export function pendingPhotoOf(id: string, fields: Fields): PendingPhoto {
  return {
    id,
    ownerId: fields.text('owner_id'),
    objectName: fields.text('object_name'),
    reservedBytes: fields.number('reserved_bytes'),
    removeAfter: fields.date('remove_after'),
    keyId: fields.textOrNone('key_id'),
    directUploadId: fields.textOrNone('direct_upload_id'),
  }
}

export function createPendingPhoto(write: Transaction, database: Database, pending: PendingPhoto) {
  write.create(pendingPhotoDocument(database, pending.id), {
    owner_id: pending.ownerId,
    object_name: pending.objectName,
    reserved_bytes: pending.reservedBytes,
    remove_after: pending.removeAfter,
    key_id: pending.keyId,
    direct_upload_id: pending.directUploadId,
  })
}

/** Ends the claim; the whole commit is lost where it has ended already. */
export function endPendingPhoto(write: Transaction, database: Database, photoId: string): void {
  write.delete(pendingPhotoDocument(database, photoId), { exists: true })
}

/** A pending photo as it was read; `unchanged` is the precondition that says so. */
export type DuePendingPhoto = PendingPhoto & { readonly unchanged: Precondition }

/** At most `limit` whose time has come, the oldest first. */
export async function duePendingPhotos(
  database: Database,
  now: Date,
  limit: number,
): Promise<DuePendingPhoto[]> {
  const found = await database.read((client) =>
    client
      .collection('pending_photos')
      .where('remove_after', '<=', now)
      .orderBy('remove_after')
      .limit(limit)
      .get(),
  )
  return found.docs.map((document) => ({
    ...pendingPhotoOf(document.id, fieldsOf(document)),
    unchanged: { lastUpdateTime: document.updateTime },
  }))
}
