/** The admission of `POST /file`: its claim is a pending photo. */

import { pendingUntil } from '../domain/orphans.ts'
import { objectName } from '../domain/photo.ts'
import { abandonPendingPhoto } from './abandoned-photos.ts'
import type { Database } from './firestore.ts'
import { createPendingPhoto, type PendingPhoto } from './pending-photos.ts'
import {
  type Admission,
  type Admitted,
  admitUpload,
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
    giveUp: (attemptId) => abandonPendingPhoto(database, attemptId),
  } satisfies Parameters<typeof admitUpload>[2]
  const admission = await admitUpload(database, start, attempt, limits)
  if (admission.outcome !== 'admitted') return admission
  return { ...admission, pending: pendingOf(admission.reservedBytes, admission.at) }
}
