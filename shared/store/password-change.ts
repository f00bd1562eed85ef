/** Changes of an account that end its sessions: name, user and, where one goes on, its session in one commit (SES-11). */
import type { Database, Transaction } from './firestore.ts'
import { sessionReference } from './sessions.ts'
import { type Account, usernameReference } from './usernames.ts'
import { userReference } from './users.ts'

export type PasswordChange = {
  /** As it was when its hash was compared: the commit fails where it changed since. */
  readonly account: Account
  readonly passwordHash: string
  /** The caller's session, which goes on. */
  readonly sessionId: string
}

/** One commit: new hash, next epoch, the caller's session moved along; all other sessions have ended with it. */
export async function commitPasswordChange(
  database: Database,
  { account, passwordHash, sessionId }: PasswordChange,
  also: (transaction: Transaction) => void,
): Promise<'committed' | 'lost'> {
  const session_epoch = account.sessionEpoch + 1
  return await database.commit((transaction) => {
    moveEpoch(transaction, database, account, { password_hash: passwordHash })
    transaction.update(sessionReference(database, sessionId), { session_epoch })
    also(transaction)
  })
}

/** One commit that ends all sessions of an account; `lost` where it changed since it was read. */
export async function endAllSessions(
  database: Database,
  account: Account,
): Promise<'committed' | 'lost'> {
  return await database.commit((transaction) => moveEpoch(transaction, database, account, {}))
}

function moveEpoch(
  transaction: Transaction,
  database: Database,
  account: Account,
  changes: { readonly password_hash?: string },
): void {
  const session_epoch = account.sessionEpoch + 1
  transaction.update(
    usernameReference(database, account.username),
    { session_epoch, ...changes },
    { lastUpdateTime: account.updateTime },
  )
  transaction.update(userReference(database, account.userId), { session_epoch })
}
