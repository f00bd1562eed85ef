/** `photos/{id}`: the photos that their owners see, each with its object (contract 2, 6). */
import { FieldPath } from '@google-cloud/firestore'
import { pendingUntil } from '../domain/orphans.ts'
import type { PagePosition } from '../domain/page.ts'
import type { Photo } from '../domain/photo.ts'
import { renewDirectUpload } from './direct-uploads.ts'
import { fieldsOf } from './fields.ts'
import type { Database, DocumentReference, DocumentSnapshot, Transaction } from './firestore.ts'
import { answerKey, freeKey, keepKey, keyDocument, renewKey } from './idempotency-keys.ts'
import { createOrphan, type Orphan, orphanDocument, orphanIn } from './orphans.ts'
import {
  type DuePendingPhoto,
  endPendingPhoto,
  type PendingPhoto,
  pendingPhotoDocument,
} from './pending-photos.ts'
import { photoFields, photoOf } from './photo-record.ts'
import { usageChange, usageDocument } from './usage.ts'

export function photoDocument(database: Database, photoId: string): DocumentReference {
  return database.client().collection('photos').doc(photoId)
}

function photoIn(document: DocumentSnapshot | undefined): Photo | undefined {
  return document?.exists === true ? photoOf(document.id, fieldsOf(document)) : undefined
}

/** The caller's photo; undefined for one that is not there and for somebody else's alike. */
export async function findPhoto(
  database: Database,
  ownerId: string,
  photoId: string,
): Promise<Photo | undefined> {
  const { documents } = await database.getAll(photoDocument(database, photoId))
  return documents.map(photoIn).find((photo) => photo?.ownerId === ownerId)
}

/** A page of the user's photos, newest first; `next` is where the following page begins, absent on the last. */
export async function listPhotos(
  database: Database,
  ownerId: string,
  page: { readonly size: number; readonly after: PagePosition | undefined },
): Promise<{ readonly photos: readonly Photo[]; readonly next: PagePosition | undefined }> {
  const found = await database.read((client) => {
    const newestFirst = client
      .collection('photos')
      .where('owner_id', '==', ownerId)
      .orderBy('created_at', 'desc')
      .orderBy(FieldPath.documentId(), 'desc')
    const { after } = page
    const started =
      after === undefined ? newestFirst : newestFirst.startAfter(new Date(after.atMs), after.id)
    return started.limit(page.size + 1).get()
  })
  const photos = found.docs.map((document) => photoOf(document.id, fieldsOf(document)))
  const shown = photos.slice(0, page.size)
  const last = shown.at(-1)
  const more = photos.length > page.size && last !== undefined
  return { photos: shown, next: more ? { atMs: last.createdAt.getTime(), id: last.id } : undefined }
}

/**
 * The last commit of an upload: the pending photo becomes a visible one, what it held becomes what it takes,
 * and its key gets its answer. `also` adds writes. `lost` where the upload was given up meanwhile, by a repeat
 * that took its place, by the sweep or with its account.
 */
export async function publishPhoto(
  database: Database,
  pending: PendingPhoto,
  photo: Photo,
  also: (write: Transaction) => void = () => undefined,
): Promise<'published' | 'lost'> {
  const outcome = await database.commit((write) => {
    endPendingPhoto(write, database, pending.id)
    write.create(photoDocument(database, photo.id), photoFields(photo))
    write.update(usageDocument(database, pending.ownerId), {
      ...usageChange({
        photoCount: 1,
        photoBytes: photo.bytes,
        reservedCount: -1,
        reservedBytes: -pending.reservedBytes,
      }),
    })
    const { keyId, receivedSha256 } = photo
    if (keyId !== undefined && receivedSha256 !== undefined) {
      answerKey(write, database, keyId, { receivedSha256, photo }, photo.createdAt)
    }
    also(write)
  })
  if (outcome === 'committed') return 'published'
  const own = await findPhoto(database, photo.ownerId, photo.id)
  return own === undefined ? 'lost' : 'published'
}

/** Says that the upload lives, to the sweep and to repeats of its key. `lost` where it was given up. */
export async function renewPendingPhoto(
  database: Database,
  pending: PendingPhoto,
  now: Date,
): Promise<'committed' | 'lost'> {
  return await database.commit((write) => {
    write.update(pendingPhotoDocument(database, pending.id), { remove_after: pendingUntil(now) })
    if (pending.keyId !== undefined) renewKey(write, database, pending.keyId, now)
    const { directUploadId } = pending
    if (directUploadId !== undefined) renewDirectUpload(write, database, directUploadId, now)
  })
}

/**
 * Gives an upload up that will not become a photo: what it held is free at once, and so is its key. Where its
 * object may exist, an orphan keeps the name for the sweep. Does nothing where it was given up already.
 */
export async function giveUpPendingPhoto(
  database: Database,
  pending: PendingPhoto,
  object: { readonly mayExist: boolean; readonly removeAfter: Date },
  also: (write: Transaction) => void = () => undefined,
): Promise<void> {
  await database.commit((write) => {
    endPendingPhoto(write, database, pending.id)
    releasePendingPhoto(write, database, pending)
    if (pending.keyId !== undefined) freeKey(write, database, pending.keyId)
    if (object.mayExist) {
      createOrphan(write, database, { ...pending, removeAfter: object.removeAfter })
    }
    also(write)
  })
}

/**
 * Takes the claim from a pending photo that was left behind: what it held is free, also its key, and its object is
 * an orphan at once. `lost` where it has lived on.
 */
export async function orphanPendingPhoto(
  database: Database,
  due: DuePendingPhoto,
  now: Date,
): Promise<'committed' | 'lost'> {
  const { documents } = await database.getAll(usageDocument(database, due.ownerId))
  const accountLives = documents.some((usage) => usage.exists)
  return await database.commit((write) => {
    write.delete(pendingPhotoDocument(database, due.id), due.unchanged)
    createOrphan(write, database, { ...due, removeAfter: now })
    if (accountLives) releasePendingPhoto(write, database, due)
    if (due.keyId !== undefined) freeKey(write, database, due.keyId)
  })
}

/** Gives back what a pending photo holds; that of a direct upload is held by the upload itself. */
export function releasePendingPhoto(
  write: Transaction,
  database: Database,
  pending: PendingPhoto,
): void {
  if (pending.directUploadId !== undefined) return
  const change = usageChange({ reservedCount: -1, reservedBytes: -pending.reservedBytes })
  write.update(usageDocument(database, pending.ownerId), change)
}

/**
 * Takes a photo from its owner's sight, in one commit that also gives the quota back and keeps its key used
 * (DL-04). Returns the orphan whose object is to be removed next, also where an earlier call stopped before
 * that; undefined where the caller has no such photo.
 */
export async function hidePhoto(
  database: Database,
  ownerId: string,
  photoId: string,
): Promise<Orphan | undefined> {
  return await database.transaction(async (transaction) => {
    const reads = await transaction.getAll(
      photoDocument(database, photoId),
      orphanDocument(database, photoId),
    )
    const [photo, left] = [photoIn(reads[0]), orphanIn(reads[1])]
    if (photo?.ownerId === ownerId) {
      return await hide(database, transaction, photo, reads[0]?.readTime.toDate() ?? new Date())
    }
    return left?.ownerId === ownerId ? left : undefined
  })
}

async function hide(database: Database, write: Transaction, photo: Photo, now: Date) {
  const usageReference = usageDocument(database, photo.ownerId)
  const keyReference = photo.keyId === undefined ? [] : [keyDocument(database, photo.keyId)]
  const [usageRead, keyRead] = await write.getAll(usageReference, ...keyReference)
  const orphan = { ...photo, removeAfter: now }
  write.delete(photoDocument(database, photo.id))
  createOrphan(write, database, orphan)
  if (usageRead?.exists === true) {
    write.update(usageReference, usageChange({ photoCount: -1, photoBytes: -photo.bytes }))
  }
  if (keyRead !== undefined) keepKey(write, keyRead, now)
  return orphan
}
