/** The start and the ends of a complete (contract 6): one at a time, and one that died is taken over. */
import { completionVerdict, type DirectUpload } from '../domain/direct-upload.ts'
import { pendingUntil } from '../domain/orphans.ts'
import { objectName } from '../domain/photo.ts'
import { ProblemError } from '../domain/problem.ts'
import { abandonPendingPhoto } from './abandoned-photos.ts'
import { leaseDirectUpload, readDirectUpload } from './direct-uploads.ts'
import type { Database, DocumentSnapshot } from './firestore.ts'
import { createPendingPhoto, type PendingPhoto } from './pending-photos.ts'

export type Completable = {
  readonly outcome: 'completable'
  readonly upload: DirectUpload
  readonly sessionUrl: string
  readonly read: DocumentSnapshot
  readonly at: Date
}

/**
 * Whether the caller's upload may be completed. Throws `not_found`, or `idempotency_key_in_use` where another
 * request completes it.
 */
export async function findCompletable(
  database: Database,
  callerId: string,
  uploadId: string,
): Promise<Completable | { readonly outcome: 'completed'; readonly photoId: string }> {
  const { read, upload, readAt } = await readDirectUpload(database, uploadId)
  const verdict = completionVerdict(upload, callerId, readAt)
  switch (verdict.verdict) {
    case 'gone':
      throw new ProblemError('not_found')
    case 'running':
      throw inUse()
    case 'completed':
      return { outcome: 'completed', photoId: verdict.photoId }
    case 'complete': {
      const { sessionUrl } = verdict
      return { outcome: 'completable', upload: verdict.upload, sessionUrl, read, at: readAt }
    }
  }
}

function inUse(): ProblemError {
  const detail = 'Another request completes this upload'
  return new ProblemError('idempotency_key_in_use', { detail, retryAfterSeconds: 2 })
}

/**
 * Takes the upload for one complete and writes its pending photo `photoId`. Throws `idempotency_key_in_use` where
 * another request was faster.
 */
export async function beginCompletion(
  database: Database,
  { upload, read, at }: Completable,
  photoId: string,
): Promise<PendingPhoto> {
  const abandoned =
    upload.photoId === undefined ? undefined : await abandonPendingPhoto(database, upload.photoId)
  const pending: PendingPhoto = {
    id: photoId,
    ownerId: upload.ownerId,
    objectName: objectName(upload.ownerId, photoId),
    reservedBytes: upload.bytes,
    removeAfter: pendingUntil(at),
    directUploadId: upload.id,
  }
  const outcome = await database.commit((write) => {
    leaseDirectUpload(write, read, photoId, at)
    abandoned?.write(write)
    createPendingPhoto(write, database, pending)
  })
  if (outcome === 'committed') return pending
  const now = await readDirectUpload(database, upload.id)
  if (now.upload?.photoId === photoId) return pending
  throw inUse()
}
