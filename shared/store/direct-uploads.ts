/** `direct_uploads/{id}`: large photos on their way straight into the bucket (contract 6). */
import { FieldValue } from '@google-cloud/firestore'
import { completionLeaseUntil, type DirectUpload } from '../domain/direct-upload.ts'
import { PHOTO_CONTENT_TYPES } from '../domain/photo-type.ts'
import { fieldsOf } from './fields.ts'
import type { Database, DocumentReference, DocumentSnapshot, Transaction } from './firestore.ts'
import { answerKey, freeKey } from './idempotency-keys.ts'
import { usageChange, usageDocument } from './usage.ts'

const STATES = ['open', 'completed', 'over'] as const

export function directUploadDocument(database: Database, id: string): DocumentReference {
  return database.client().collection('direct_uploads').doc(id)
}

/** The upload in a read document, or undefined where there is none. */
export function directUploadIn(document: DocumentSnapshot | undefined): DirectUpload | undefined {
  if (document?.exists !== true) return undefined
  const fields = fieldsOf(document)
  return {
    id: document.id,
    ownerId: fields.text('owner_id'),
    contentType: fields.word('content_type', PHOTO_CONTENT_TYPES),
    bytes: fields.number('bytes'),
    sha256: fields.textOrNone('sha256'),
    originalName: fields.text('original_name'),
    sessionUrl: fields.textOrNone('session_url'),
    expiresAt: fields.date('expires_at'),
    state: fields.word('state', STATES),
    photoId: fields.textOrNone('photo_id'),
    leaseUntil: fields.dateOrNone('lease_until'),
    removeAfter: fields.date('remove_after'),
    keyId: fields.textOrNone('key_id'),
  }
}

/** The upload as it is, with the time of the read; undefined where there is none. */
export async function readDirectUpload(database: Database, id: string) {
  const { documents, readAt } = await database.getAll(directUploadDocument(database, id))
  const [read] = documents
  if (read === undefined) throw new TypeError('a read answers each reference')
  return { read, upload: directUploadIn(read), readAt }
}

/** Part of the admission. */
export function createDirectUpload(write: Transaction, database: Database, upload: DirectUpload) {
  write.create(directUploadDocument(database, upload.id), {
    owner_id: upload.ownerId,
    content_type: upload.contentType,
    bytes: upload.bytes,
    sha256: upload.sha256,
    original_name: upload.originalName,
    expires_at: upload.expiresAt,
    state: upload.state,
    remove_after: upload.removeAfter,
    key_id: upload.keyId,
  })
}

/**
 * The session has been started: the upload is open, and the key has its answer. `lost` where a repeat of the key
 * took its place or the account is gone.
 */
export async function openDirectUpload(
  database: Database,
  upload: DirectUpload,
  sessionUrl: string,
  requestSha256: string,
  now: Date,
): Promise<'committed' | 'lost'> {
  return await database.commit((write) => {
    write.update(directUploadDocument(database, upload.id), { session_url: sessionUrl })
    if (upload.keyId !== undefined) {
      answerKey(write, database, upload.keyId, { receivedSha256: requestSha256 }, now)
    }
  })
}

/** An upload whose session was not started: nothing of it stays, and what it held is free. */
export async function withdrawDirectUpload(
  database: Database,
  upload: DirectUpload,
): Promise<void> {
  await database.commit((write) => {
    write.delete(directUploadDocument(database, upload.id), { exists: true })
    releaseDirectUpload(write, database, upload)
    if (upload.keyId !== undefined) freeKey(write, database, upload.keyId)
  })
}

/** Gives back what the upload held; part of the commit that ends it, which is lost where the account is gone. */
export function releaseDirectUpload(
  write: Transaction,
  database: Database,
  upload: DirectUpload,
): void {
  const change = usageChange({ reservedCount: -1, reservedBytes: -upload.bytes })
  write.update(usageDocument(database, upload.ownerId), change)
}

/** Takes the upload for one complete, provided that it is as it was read. */
export function leaseDirectUpload(
  write: Transaction,
  read: DocumentSnapshot,
  photoId: string,
  now: Date,
): void {
  const { updateTime } = read
  if (updateTime === undefined) throw new TypeError('an upload that is not there has no lease')
  const lease = { photo_id: photoId, lease_until: completionLeaseUntil(now) }
  write.update(read.ref, lease, { lastUpdateTime: updateTime })
}

export function renewDirectUpload(write: Transaction, database: Database, id: string, now: Date) {
  write.update(directUploadDocument(database, id), { lease_until: completionLeaseUntil(now) })
}

/** The complete stopped without a verdict on the photo: the next one may try again at once. */
export function unleaseDirectUpload(write: Transaction, database: Database, id: string): void {
  write.update(directUploadDocument(database, id), {
    photo_id: FieldValue.delete(),
    lease_until: FieldValue.delete(),
  })
}

/** The photo was refused: the upload is over, holds nothing, and what was sent is to be removed. */
export function endDirectUpload(
  write: Transaction,
  database: Database,
  upload: DirectUpload,
  now: Date,
): void {
  write.update(directUploadDocument(database, upload.id), { state: 'over', remove_after: now })
  releaseDirectUpload(write, database, upload)
}

/** Part of the commit that shows the photo; the quarantine is emptied after it. */
export function completeDirectUpload(write: Transaction, database: Database, id: string): void {
  write.update(directUploadDocument(database, id), {
    state: 'completed',
    lease_until: FieldValue.delete(),
  })
}

/** Nothing of a completed upload is in quarantine any more; it is remembered for a while. */
export async function keepCompleted(
  database: Database,
  upload: DirectUpload,
  until: Date,
): Promise<void> {
  await database.commit((write) =>
    write.update(directUploadDocument(database, upload.id), {
      session_url: FieldValue.delete(),
      remove_after: until,
    }),
  )
}

/** Once nothing of it is in quarantine. */
export async function forgetDirectUpload(database: Database, id: string): Promise<void> {
  await database.commit((write) => write.delete(directUploadDocument(database, id)))
}
