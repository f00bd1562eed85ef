/**
 * `orphans/{photo id}`: objects that may exist and that nobody sees any more, of a deleted photo or of an upload
 * that was given up. The record stays until the object is gone, so no object is ever without one (DL-04).
 */
import { fieldsOf } from './fields.ts'
import type { Database, DocumentReference, DocumentSnapshot, Transaction } from './firestore.ts'

export type Orphan = {
  readonly id: string
  readonly ownerId: string
  readonly objectName: string
  /** Until then its upload may still be writing. */
  readonly removeAfter: Date
}

export function orphanDocument(database: Database, photoId: string): DocumentReference {
  return database.client().collection('orphans').doc(photoId)
}

function orphanOf(document: DocumentSnapshot): Orphan {
  const fields = fieldsOf(document)
  return {
    id: document.id,
    ownerId: fields.text('owner_id'),
    objectName: fields.text('object_name'),
    removeAfter: fields.date('remove_after'),
  }
}

/** The orphan in a read document, or undefined where there is none. */
export function orphanIn(document: DocumentSnapshot | undefined): Orphan | undefined {
  return document?.exists === true ? orphanOf(document) : undefined
}

/** Part of the commit that takes the object's photo or pending photo away. */
export function createOrphan(write: Transaction, database: Database, orphan: Orphan): void {
  write.create(orphanDocument(database, orphan.id), {
    owner_id: orphan.ownerId,
    object_name: orphan.objectName,
    remove_after: orphan.removeAfter,
  })
}

/** Once its object is gone. */
export async function forgetOrphan(database: Database, photoId: string): Promise<void> {
  await database.commit((write) => write.delete(orphanDocument(database, photoId)))
}

/** At most `limit` whose time has come, the oldest first. */
export async function dueOrphans(database: Database, now: Date, limit: number): Promise<Orphan[]> {
  const found = await database.read((client) =>
    client
      .collection('orphans')
      .where('remove_after', '<=', now)
      .orderBy('remove_after')
      .limit(limit)
      .get(),
  )
  return found.docs.map((document) => orphanOf(document))
}

/** At most `limit` of one user, whatever their time. */
export async function orphansOf(
  database: Database,
  userId: string,
  limit: number,
): Promise<Orphan[]> {
  const found = await database.read((client) =>
    client.collection('orphans').where('owner_id', '==', userId).limit(limit).get(),
  )
  return found.docs.map((document) => orphanOf(document))
}
