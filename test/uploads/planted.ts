/** Left-overs as a crash at each place leaves them, planted straight into the stores. */
import { Readable } from 'node:stream'
import type { DirectUpload } from '../../shared/domain/direct-upload.ts'
import { objectName, quarantineName } from '../../shared/domain/photo.ts'
import { createDirectUpload, directUploadDocument } from '../../shared/store/direct-uploads.ts'
import { createOrphan } from '../../shared/store/orphans.ts'
import { createPendingPhoto } from '../../shared/store/pending-photos.ts'
import { sendThrough } from '../../shared/store/upload-session.ts'
import { usageChange, usageDocument } from '../../shared/store/usage.ts'
import type { User } from '../app.ts'
import { pngOf, type Stores, userIdOf } from './stored-app.ts'

export const BYTES = 1000

/** `minutes` from now, negative for the past. */
export function inMinutes(minutes: number): Date {
  return new Date(Date.now() + minutes * 60_000)
}

export async function plantObject({ files }: Stores, name: string): Promise<void> {
  const address = await files.startSession({ name, contentType: 'image/png', uploadId: 'planted' })
  await sendThrough(address, Readable.from([pngOf(BYTES)]), BYTES)
}

/** A pending photo that the sweep may remove at `removeAfter`, with or without its object. */
export async function plantPending(
  stores: Stores,
  user: User,
  planted: { readonly id: string; readonly removeAfter: Date; readonly withObject: boolean },
): Promise<void> {
  const { database } = stores
  const ownerId = userIdOf(user)
  const name = objectName(ownerId, planted.id)
  await database.commit((write) => {
    const pending = { id: planted.id, ownerId, objectName: name, reservedBytes: BYTES }
    createPendingPhoto(write, database, { ...pending, removeAfter: planted.removeAfter })
    const held = usageChange({ reservedCount: 1, reservedBytes: BYTES })
    write.update(usageDocument(database, ownerId), held)
  })
  if (planted.withObject) await plantObject(stores, name)
}

export async function plantOrphan(
  stores: Stores,
  user: User,
  id: string,
  removeAfter: Date,
): Promise<void> {
  const { database } = stores
  const ownerId = userIdOf(user)
  const name = objectName(ownerId, id)
  await database.commit((write) =>
    createOrphan(write, database, { id, ownerId, objectName: name, removeAfter }),
  )
  await plantObject(stores, name)
}

export type PlantedUpload = Partial<Pick<DirectUpload, 'state' | 'leaseUntil' | 'photoId'>> & {
  readonly id: string
  readonly removeAfter: Date
  /** Whether all of its bytes were sent; else none were. */
  readonly sent: boolean
}

export async function plantDirectUpload(
  stores: Stores,
  user: User,
  planted: PlantedUpload,
): Promise<void> {
  const { database, files } = stores
  const ownerId = userIdOf(user)
  const name = quarantineName(ownerId, planted.id)
  const object = { name, contentType: 'image/png', uploadId: planted.id, bytes: BYTES } as const
  const sessionUrl = await files.startSession(object)
  if (planted.sent) await sendThrough(sessionUrl, Readable.from([pngOf(BYTES)]), BYTES)
  const upload: DirectUpload = {
    id: planted.id,
    ownerId,
    contentType: 'image/png',
    bytes: BYTES,
    sha256: undefined,
    originalName: 'planted.png',
    sessionUrl,
    expiresAt: inMinutes(-20),
    state: planted.state ?? 'open',
    photoId: planted.photoId,
    leaseUntil: planted.leaseUntil,
    removeAfter: planted.removeAfter,
    keyId: undefined,
  }
  await database.commit((write) => {
    createDirectUpload(write, database, upload)
    write.update(directUploadDocument(database, upload.id), {
      session_url: sessionUrl,
      ...(upload.leaseUntil === undefined ? {} : { lease_until: upload.leaseUntil }),
      ...(upload.photoId === undefined ? {} : { photo_id: upload.photoId }),
    })
    if (upload.state !== 'open') return
    const held = usageChange({ reservedCount: 1, reservedBytes: BYTES })
    write.update(usageDocument(database, ownerId), held)
  })
}
