/**
 * `usage/{uid}`: what a user's photos take and what running uploads hold. Registration creates it together with
 * the user, and the deletion of the account removes it before anything else; who finds it missing stops.
 */
import { FieldValue } from '@google-cloud/firestore'
import { NO_USAGE, type Usage } from '../domain/quota.ts'
import { fieldsOf } from './fields.ts'
import type { Database, DocumentReference, DocumentSnapshot } from './firestore.ts'

export function usageDocument(database: Database, userId: string): DocumentReference {
  return database.client().collection('usage').doc(userId)
}

/** The usage in a read document, or undefined where there is none. */
export function usageOf(document: DocumentSnapshot): Usage | undefined {
  if (!document.exists) return undefined
  const fields = fieldsOf(document)
  return {
    photoCount: fields.number('photo_count'),
    photoBytes: fields.number('photo_bytes'),
    reservedCount: fields.number('reserved_count'),
    reservedBytes: fields.number('reserved_bytes'),
  }
}

/** All fields of the document; of a new user without an argument. */
export function usageFields(usage: Usage = NO_USAGE): Readonly<Record<string, number>> {
  return {
    photo_count: usage.photoCount,
    photo_bytes: usage.photoBytes,
    reserved_count: usage.reservedCount,
    reserved_bytes: usage.reservedBytes,
  }
}

/** An update that adds to what is stored, whatever it is by then. */
export function usageChange(change: Partial<Usage>): Readonly<Record<string, FieldValue>> {
  const fields = usageFields({ ...NO_USAGE, ...change })
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, by]) => by !== 0)
      .map(([field, by]) => [field, FieldValue.increment(by)]),
  )
}
