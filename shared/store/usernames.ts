/**
 * `usernames/{folded name}`: reserves the name, and holds all that one read of a login needs: user id, password
 * hash and session epoch. Only what signs in or changes a password reads it.
 */
import { FieldValue, Timestamp } from '@google-cloud/firestore'
import type { Database, DocumentReference, DocumentSnapshot, Transaction } from './firestore.ts'

export type Account = {
  /** Folded. */
  readonly username: string
  readonly userId: string
  /** PHC string; undefined once the account's deletion has begun. */
  readonly passwordHash: string | undefined
  readonly sessionEpoch: number
  readonly counterId: string
  readonly createdAt: Date
  /** Made by the registration, so that it knows its own commit again (AUTH-06). */
  readonly operationId: string
  /** Time of the last write, for preconditions. */
  readonly updateTime: Timestamp
}

export function usernameReference(database: Database, username: string): DocumentReference {
  return database.client().collection('usernames').doc(username)
}

/** The account of a name; undefined where there is none or the document is damaged. */
export function accountOf(document: DocumentSnapshot): Account | undefined {
  const fields = document.data() ?? {}
  const { user_id, session_epoch, created_at, password_hash, counter_id, op_id } = fields
  const { updateTime } = document
  if (typeof user_id !== 'string' || !Number.isSafeInteger(session_epoch)) return undefined
  if (!(created_at instanceof Timestamp) || updateTime === undefined) return undefined
  return {
    username: document.id,
    userId: user_id,
    passwordHash: typeof password_hash === 'string' ? password_hash : undefined,
    sessionEpoch: Number(session_epoch),
    counterId: typeof counter_id === 'string' ? counter_id : '',
    createdAt: created_at.toDate(),
    operationId: typeof op_id === 'string' ? op_id : '',
    updateTime,
  }
}

export type NewAccount = Omit<Account, 'updateTime' | 'passwordHash'> & {
  readonly passwordHash: string
}

/** Within the registration's commit, which fails where the name is taken. */
export function reserveUsername(
  transaction: Transaction,
  database: Database,
  account: NewAccount,
): void {
  transaction.create(usernameReference(database, account.username), {
    user_id: account.userId,
    password_hash: account.passwordHash,
    session_epoch: account.sessionEpoch,
    logins: 0,
    counter_id: account.counterId,
    created_at: account.createdAt,
    op_id: account.operationId,
  })
}

export type LoginChanges = {
  /** Better parameters for the same password (PW-06). */
  readonly passwordHash?: string
  readonly counterId?: string
}

/** Within a login's commit, which fails where anything of the account changed since it was read (SES-01, SES-11). */
export function countLogin(
  transaction: Transaction,
  database: Database,
  account: Account,
  changes: LoginChanges,
): void {
  const { passwordHash, counterId } = changes
  const fields = {
    logins: FieldValue.increment(1),
    ...(passwordHash === undefined ? {} : { password_hash: passwordHash }),
    ...(counterId === undefined ? {} : { counter_id: counterId }),
  }
  const precondition = { lastUpdateTime: account.updateTime }
  transaction.update(usernameReference(database, account.username), fields, precondition)
}
