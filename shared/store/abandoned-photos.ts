/** Pending photos whose process has died, or is taken for dead. */
import { fieldsOf } from './fields.ts'
import type { Database, Transaction } from './firestore.ts'
import { createOrphan } from './orphans.ts'
import { endPendingPhoto, pendingPhotoDocument, pendingPhotoOf } from './pending-photos.ts'

export type Abandoned = { readonly reservedBytes: number; write(write: Transaction): void }

/**
 * What takes the claim from a pending photo, within somebody's commit; undefined where it has none any more. The
 * holder may be alive after all: without its claim its last commit is lost, and its object is an orphan.
 */
export async function abandonPendingPhoto(
  database: Database,
  photoId: string,
): Promise<Abandoned | undefined> {
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
