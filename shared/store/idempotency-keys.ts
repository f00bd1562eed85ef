/** `idempotency_keys/{hash of user, purpose and key}`: what became of a request with an `Idempotency-Key` (UP-12). */
import { createHash } from 'node:crypto'
import { type KeyState, keptUntil, leaseUntil } from '../domain/idempotency.ts'
import type { Photo } from '../domain/photo.ts'
import { fieldsOf } from './fields.ts'
import type { Database, DocumentReference, DocumentSnapshot, Transaction } from './firestore.ts'
import { photoFields, photoOf } from './photo-record.ts'
import { writeUnchanged } from './rate-limits.ts'

/** What a key was used for: the same text is two keys for two purposes. */
export type KeyPurpose = 'file' | 'direct-upload'

/** What the first request with a key led to; the photo as it was then, for `file`. */
export type KeyAnswer = { readonly attemptId: string; readonly photo: Photo | undefined }

/** Id of a key's document; 43 URL-safe characters. */
export function keyIdOf(userId: string, purpose: KeyPurpose, key: string): string {
  return createHash('sha256').update(`${purpose}\n${userId}\n${key}`).digest('base64url')
}

export function keyDocument(database: Database, keyId: string): DocumentReference {
  return database.client().collection('idempotency_keys').doc(keyId)
}

/** The state in a read document, or undefined where there is none. */
export function keyStateOf(document: DocumentSnapshot): KeyState<KeyAnswer> | undefined {
  if (!document.exists) return undefined
  const fields = fieldsOf(document)
  const attemptId = fields.text('attempt_id')
  if (fields.word('state', ['running', 'answered']) === 'running') {
    return { state: 'running', attemptId, leaseUntil: fields.date('lease_until') }
  }
  const withPhoto = fieldsOf(document, 'photo.').textOrNone('owner_id') !== undefined
  const photo = withPhoto ? photoOf(attemptId, fieldsOf(document, 'photo.')) : undefined
  return {
    state: 'answered',
    receivedSha256: fields.text('received_sha256'),
    answer: { attemptId, photo },
    replays: fields.number('replays'),
    keptUntil: fields.date('purge_at'),
  }
}

/** Takes a free or abandoned key for an attempt, provided that its document is as it was read. */
export function takeKey(
  write: Transaction,
  read: DocumentSnapshot,
  holder: { readonly userId: string; readonly attemptId: string },
  now: Date,
): void {
  writeUnchanged(write, read, {
    user_id: holder.userId,
    state: 'running',
    attempt_id: holder.attemptId,
    lease_until: leaseUntil(now),
    received_sha256: '',
    replays: 0,
    photo: null,
    purge_at: keptUntil(now),
  })
}

/** Says that the holder lives; part of a commit that demands the holder's own record. */
export function renewKey(write: Transaction, database: Database, keyId: string, now: Date): void {
  write.update(keyDocument(database, keyId), { lease_until: leaseUntil(now) })
}

/** The key's answer, kept for 24 h; part of the commit that makes what it answers. */
export function answerKey(
  write: Transaction,
  database: Database,
  keyId: string,
  answer: { readonly receivedSha256: string; readonly photo?: Photo | undefined },
  now: Date,
): void {
  write.update(keyDocument(database, keyId), {
    state: 'answered',
    received_sha256: answer.receivedSha256,
    photo: answer.photo === undefined ? null : photoFields(answer.photo),
    purge_at: keptUntil(now),
  })
}

/** Counts a repeat, provided that nothing else was counted since the read. */
export function countReplay(write: Transaction, read: DocumentSnapshot): void {
  const { updateTime } = read
  if (updateTime === undefined) throw new TypeError('a key that is not there has no repeats')
  const replays = fieldsOf(read).number('replays') + 1
  write.update(read.ref, { replays }, { lastUpdateTime: updateTime })
}

/** Keeps an answered key used for 24 h from the deletion of its photo. */
export function keepKey(write: Transaction, read: DocumentSnapshot, now: Date): void {
  if (read.exists) write.update(read.ref, { purge_at: keptUntil(now) })
}

export function freeKey(write: Transaction, database: Database, keyId: string): void {
  write.delete(keyDocument(database, keyId))
}
