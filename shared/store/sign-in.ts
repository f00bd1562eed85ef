/** The reads and commits of a login and of a registration, over the documents that each of them needs together. */
import type { Session, SessionLife } from '../domain/session.ts'
import type { LimitVerdict } from '../domain/sliding-window.ts'
import { deletionMarkOf, deletionMarkReference, isDeletedWithAll } from './deletion-mark.ts'
import type { Database, DocumentSnapshot } from './firestore.ts'
import { type AttemptVerdict, type LoginAttempt, startAccountCounter } from './login-attempts.ts'
import type { LoginKeys } from './login-seats.ts'
import type { OpenWindow } from './rate-limits.ts'
import { untilWon } from './rounds.ts'
import { createSession, listSessionLives, makeRoom, sessionReference } from './sessions.ts'
import { usageDocument, usageFields } from './usage.ts'
import {
  type Account,
  accountOf,
  countLogin,
  type LoginChanges,
  type NewAccount,
  reserveUsername,
  usernameReference,
} from './usernames.ts'
import { createUser, type User, updateCounterId } from './users.ts'

function one(documents: readonly DocumentSnapshot[], index: number): DocumentSnapshot {
  const document = documents[index]
  if (document === undefined) throw new TypeError('a read answers each reference')
  return document
}

/** An account that a password can open; undefined where there is none, or where its deletion has begun. */
function openAccount(name: DocumentSnapshot, mark: DocumentSnapshot): Account | undefined {
  const account = accountOf(name)
  if (account?.passwordHash === undefined) return undefined
  const isGone = isDeletedWithAll(deletionMarkOf(mark), account.userId, account.createdAt)
  return isGone ? undefined : account
}

/** The one read of a login: name, the mark of `DELETE /users`, and the attempt's limits. */
export async function readLogin(
  database: Database,
  username: string,
  attempt: LoginAttempt,
): Promise<{
  readonly account: Account | undefined
  readonly verdict: AttemptVerdict
  readonly readAt: Date
}> {
  const { documents, readAt } = await database.getAll(
    usernameReference(database, username),
    deletionMarkReference(database),
    ...attempt.references,
  )
  const account = openAccount(one(documents, 0), one(documents, 1))
  return { account, verdict: attempt.judge(documents.slice(2), readAt), readAt }
}

export type Login = {
  /** As it was when its hash was compared. */
  readonly account: Account
  readonly session: Session
  /** The user's sessions, for the limit of 20. */
  readonly listed: readonly SessionLife[]
  readonly attempt: LoginAttempt
  readonly changes: LoginChanges
  /** Compares the password with the hash that took the place of the account's meanwhile. */
  matches(passwordHash: string): Promise<boolean>
}

/**
 * One commit: the new session, the account's count of logins, the end of sessions beyond 20 and the success of the
 * attempt. A lost race adds a read and a commit. The session as it was stored; undefined where the password was
 * changed or the account deleted meanwhile.
 */
export async function commitLogin(database: Database, login: Login): Promise<Session | undefined> {
  return await login.attempt.inTurn(() => commitUntilWon(database, login))
}

async function commitUntilWon(database: Database, login: Login): Promise<Session | undefined> {
  let current: Login | undefined = login
  return await untilWon(async () => {
    if (current === undefined) return undefined
    const { account, session } = current
    const opened = { ...session, sessionEpoch: account.sessionEpoch }
    const outcome = await commitOnce(database, { ...current, session: opened })
    if (outcome === 'committed') return opened
    const found = await readAgain(database, current)
    if (found.isOpened) return opened
    current = await currentLogin(current, found)
    return 'lost'
  })
}

/** The login for another round; undefined where its password opens the account no longer. */
async function currentLogin(
  login: Login,
  { account, listed }: { readonly account: Account | undefined; readonly listed: Login['listed'] },
): Promise<Login | undefined> {
  const hash = account?.passwordHash
  if (account === undefined || hash === undefined) return undefined
  if (hash === login.account.passwordHash) return { ...login, account, listed }
  return (await login.matches(hash)) ? { ...login, account, listed, changes: {} } : undefined
}

function commitOnce(database: Database, login: Login): Promise<'committed' | 'lost'> {
  const { account, session, listed, attempt, changes } = login
  return database.commit((transaction) => {
    countLogin(transaction, database, account, changes)
    if (changes.counterId !== undefined) {
      updateCounterId(transaction, database, account.userId, changes.counterId)
    }
    createSession(transaction, database, session)
    makeRoom(transaction, database, listed, account.sessionEpoch, session.createdAt)
    attempt.succeed(transaction)
  })
}

/** After a lost race: the account as it is now, and whether this login's own commit was the winner. */
async function readAgain(database: Database, { account, session }: Login) {
  const [{ documents }, listed] = await Promise.all([
    database.getAll(
      usernameReference(database, account.username),
      deletionMarkReference(database),
      sessionReference(database, session.id),
    ),
    listSessionLives(database, account.userId),
  ])
  return {
    listed,
    account: openAccount(one(documents, 0), one(documents, 1)),
    isOpened: one(documents, 2).exists,
  }
}

export type Registration = {
  readonly account: NewAccount
  readonly user: User
  readonly session: Session
  readonly keys: LoginKeys
  /** The name was taken before the commit was first tried, so a lost race was not against its own. */
  readonly wasTaken: boolean
}

/**
 * One commit: name, user, first session, usage and counter of the account. `taken` where the name is another's; where the
 * commit's reply was lost, its own operation id tells (AUTH-05, AUTH-06).
 */
export async function commitRegistration(
  database: Database,
  registration: Registration,
): Promise<'created' | 'taken'> {
  const { account, user, session, keys, wasTaken } = registration
  const outcome = await database.commit((transaction) => {
    reserveUsername(transaction, database, account)
    createUser(transaction, database, user)
    createSession(transaction, database, session)
    transaction.create(usageDocument(database, user.id), usageFields())
    startAccountCounter(transaction, database, keys, session.createdAt)
  })
  if (outcome === 'committed') return 'created'
  if (wasTaken) return 'taken'
  const { documents } = await database.getAll(usernameReference(database, account.username))
  return accountOf(one(documents, 0))?.operationId === account.operationId ? 'created' : 'taken'
}

/** The one read of a registration: its limit, and whether the name is taken, which nobody is told before the hash. */
export async function readRegistration(
  database: Database,
  username: string,
  window: OpenWindow,
): Promise<{
  readonly wasTaken: boolean
  readonly verdict: LimitVerdict
  readonly readAt: Date
}> {
  const { documents, readAt } = await database.getAll(
    usernameReference(database, username),
    window.reference,
  )
  const verdict = window.judge(one(documents, 1), readAt)
  return { wasTaken: one(documents, 0).exists, verdict, readAt }
}
