/** `deletions/all`: the mark that `DELETE /users` leaves, read with every call, so that all are refused at once. */
import { Timestamp } from '@google-cloud/firestore'
import type { Database, DocumentReference, DocumentSnapshot } from './firestore.ts'

export type DeletionMark = {
  /** Whoever was created before is gone. */
  readonly before: Date
  /** User id of the admin who stayed. */
  readonly except: string
}

export function deletionMarkReference(database: Database): DocumentReference {
  return database.client().collection('deletions').doc('all')
}

/** Undefined where nobody has deleted all users yet. */
export function deletionMarkOf(document: DocumentSnapshot): DeletionMark | undefined {
  const before: unknown = document.get('before')
  const except: unknown = document.get('except')
  if (!(before instanceof Timestamp) || typeof except !== 'string') return undefined
  return { before: before.toDate(), except }
}

export function isDeletedWithAll(
  mark: DeletionMark | undefined,
  userId: string,
  createdAt: Date,
): boolean {
  return mark !== undefined && createdAt < mark.before && userId !== mark.except
}
