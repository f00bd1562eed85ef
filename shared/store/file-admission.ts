/** The admission of `POST /file`: its claim is a pending photo, and a repeat takes a dead holder's place. */

import { pendingUntil } from '../domain/orphans.ts'
import { objectName } from '../domain/photo.ts'
import { fieldsOf } from './fields.ts'
import type { Database } from './firestore.ts'
import { createOrphan } from './orphans.ts'
import {
  createPendingPhoto,
  endPendingPhoto,
  type PendingPhoto,
  pendingPhotoDocument,
  pendingPhotoOf,
} from './pending-photos.ts'
import {
  type Admission,
  type Admitted,
  admitUpload,
  type GivenUp,
  type UploadLimits,
  type UploadStart,
} from './upload-admission.ts'

export type FileAdmission =
  | Exclude<Admission, Admitted>
  | (Admitted & { readonly pending: PendingPhoto })

/** Admits an upload and writes its pending photo, whose id is `attemptId`. Throws as `admitUpload` does. */
export async function admitFile(
  database: Database,
  start: UploadStart,
  limits: UploadLimits,
): Promise<FileAdmission> {
  const pendingOf = (reservedBytes: number, at: Date): PendingPhoto => ({
    id: start.attemptId,
    ownerId: start.userId,
    objectName: objectName(start.userId, start.attemptId),
    reservedBytes,
    removeAfter: pendingUntil(at),
    keyId: start.keyId,
  })
  const attempt = {
    create: (write, { bytes, at }) => createPendingPhoto(write, database, pendingOf(bytes, at)),
    giveUp: (attemptId) => giveUp(database, attemptId),
  } satisfies Parameters<typeof admitUpload>[2]
  const admission = await admitUpload(database, start, attempt, limits)
  if (admission.outcome !== 'admitted') return admission
  return { ...admission, pending: pendingOf(admission.reservedBytes, admission.at) }
}

/** The dead holder may be alive after all: without its claim its commits are lost, its object is an orphan. */
async function giveUp(database: Database, photoId: string): Promise<GivenUp | undefined> {
  const { documents } = await database.getAll(pendingPhotoDocument(database, photoId))
  const [read] = documents
  if (read?.exists !== true) return undefined
  const pending = pendingPhotoOf(photoId, fieldsOf(read))
  return {
    reservedBytes: pending.reservedBytes,
    write: (write) => {
      endPendingPhoto(write, database, photoId)
      createOrphan(write, database, pending)
    },
  }
}
