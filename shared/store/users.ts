/** `users/{id}`: who an account is and what it may do; read on every call, so it never holds a secret. */
import { Timestamp } from '@google-cloud/firestore'
import { ROLES, type Role } from '../domain/role.ts'
import type { Database, DocumentReference, DocumentSnapshot, Transaction } from './firestore.ts'

export type User = {
  readonly id: string
  /** Folded. */
  readonly username: string
  readonly role: Role
  /** Sessions of another epoch have ended (SES-11). */
  readonly sessionEpoch: number
  /** Id of the account's counter in `rate_limits` (RL-05). */
  readonly counterId: string
  readonly createdAt: Date
  /** Set by the first step of the account's deletion: from then on it is refused everywhere. */
  readonly deletingAt: Date | undefined
}

export function userReference(database: Database, userId: string): DocumentReference {
  return database.client().collection('users').doc(userId)
}

/** The user, also one whose deletion has begun; undefined where there is none or the document is damaged. */
export function userOf(document: DocumentSnapshot): User | undefined {
  const { username, session_epoch, counter_id, created_at, ...fields } = document.data() ?? {}
  const role = ROLES.find((known) => known === fields['role'])
  const deletingAt: unknown = fields['deleting_at']
  if (typeof username !== 'string' || role === undefined) return undefined
  if (!Number.isSafeInteger(session_epoch) || !(created_at instanceof Timestamp)) return undefined
  return {
    id: document.id,
    username,
    role,
    sessionEpoch: Number(session_epoch),
    counterId: typeof counter_id === 'string' ? counter_id : '',
    createdAt: created_at.toDate(),
    deletingAt: deletingAt instanceof Timestamp ? deletingAt.toDate() : undefined,
  }
}

/** Within the registration's commit. */
export function createUser(transaction: Transaction, database: Database, user: User): void {
  transaction.create(userReference(database, user.id), {
    username: user.username,
    role: user.role,
    session_epoch: user.sessionEpoch,
    counter_id: user.counterId,
    created_at: user.createdAt,
  })
}

/** Within a login's commit, where the counter has another id since (RL-05). */
export function updateCounterId(
  transaction: Transaction,
  database: Database,
  userId: string,
  counterId: string,
): void {
  transaction.update(userReference(database, userId), { counter_id: counterId })
}
