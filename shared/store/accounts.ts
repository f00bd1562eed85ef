/** Reads of one account over the documents that make it: name, user and usage. */
import { ProblemError } from '../domain/problem.ts'
import { NO_USAGE, type Usage } from '../domain/quota.ts'
import { deletionMarkOf, deletionMarkReference, isDeletedWithAll } from './deletion-mark.ts'
import type { Database } from './firestore.ts'
import { usageDocument, usageOf } from './usage.ts'
import { type Account, accountOf, usernameReference } from './usernames.ts'
import { type User, userOf, userReference } from './users.ts'

/** The account of a folded name, also one whose deletion has begun; undefined where there is none. */
export async function findAccount(
  database: Database,
  username: string,
): Promise<Account | undefined> {
  const { documents } = await database.getAll(usernameReference(database, username))
  return documents.map(accountOf).find((account) => account !== undefined)
}

/** The account of a folded name, unless its deletion has begun, by itself or with all others. */
export async function findLivingAccount(
  database: Database,
  username: string,
): Promise<Account | undefined> {
  const references = [usernameReference(database, username), deletionMarkReference(database)]
  const { documents } = await database.getAll(...references)
  const [name, mark] = documents
  const account = name === undefined ? undefined : accountOf(name)
  if (account?.passwordHash === undefined || mark === undefined) return undefined
  const isGone = isDeletedWithAll(deletionMarkOf(mark), account.userId, account.createdAt)
  return isGone ? undefined : account
}

/** User and usage, in one read. Throws `session_ended` where the account went since its caller was identified. */
export async function readOwnUser(
  database: Database,
  userId: string,
): Promise<{ readonly user: User; readonly usage: Usage }> {
  const { documents } = await database.getAll(
    userReference(database, userId),
    usageDocument(database, userId),
  )
  const [userRead, usageRead] = documents
  const user = userRead === undefined ? undefined : userOf(userRead)
  const usage = usageRead === undefined ? undefined : usageOf(usageRead)
  if (user === undefined || user.deletingAt !== undefined) throw new ProblemError('session_ended')
  return { user, usage: usage ?? NO_USAGE }
}
