/** `deletions/all` and `users/{id}.deleting_at`: who is to be removed, and is refused everywhere from then on. */
import { FieldValue, Timestamp } from '@google-cloud/firestore'
import { ProblemError } from '../domain/problem.ts'
import {
  type DeletionMark,
  deletionMarkOf,
  deletionMarkReference,
  isDeletedWithAll,
} from './deletion-mark.ts'
import type { Database } from './firestore.ts'
import { writeUnchanged } from './rate-limits.ts'
import { untilWon } from './rounds.ts'
import { usageDocument } from './usage.ts'
import { usernameReference } from './usernames.ts'
import { type User, userOf, userReference } from './users.ts'

/**
 * Marks all users but one as gone, with one commit: whoever was created before it is refused at once (contract 5).
 * Throws `session_ended` where the caller went with another admin's deletion meanwhile.
 */
export async function markAllDeleted(database: Database, exceptUserId: string): Promise<void> {
  const references = [deletionMarkReference(database), userReference(database, exceptUserId)]
  await untilWon(async () => {
    const { documents, readAt } = await database.getAll(...references)
    const [read, caller] = documents
    if (read === undefined || caller === undefined) throw new TypeError('a read answers all')
    const user = userOf(caller)
    const mark = deletionMarkOf(read)
    const isGone = user === undefined || isDeletedWithAll(mark, user.id, user.createdAt)
    if (isGone || user.deletingAt !== undefined) throw new ProblemError('session_ended')
    const before = Timestamp.fromDate(latest(mark, readAt))
    return await database.commit((transaction) => {
      writeUnchanged(transaction, read, { before, except: exceptUserId })
    })
  })
}

function latest(mark: DeletionMark | undefined, readAt: Date): Date {
  return mark !== undefined && mark.before > readAt ? mark.before : readAt
}

/**
 * The first step of an account's deletion, one commit: it is refused everywhere, nobody can log in, and uploads under
 * way fail at their next commit. `usernameAsOf` demands that the name, with its password, is still as it was read.
 * `lost` where it is not, or where the account is gone.
 */
export async function beginDeletion(
  database: Database,
  account: { readonly userId: string; readonly username: string },
  now: Date,
  usernameAsOf?: Timestamp,
): Promise<'committed' | 'lost'> {
  const precondition = usernameAsOf === undefined ? {} : { lastUpdateTime: usernameAsOf }
  return await database.commit((transaction) => {
    transaction.update(
      usernameReference(database, account.username),
      { password_hash: FieldValue.delete() },
      precondition,
    )
    transaction.update(userReference(database, account.userId), { deleting_at: now })
    transaction.delete(usageDocument(database, account.userId))
  })
}

/** Users whose deletion began and has not ended, at most `limit`: deleted each by itself, or with all. */
export async function unfinishedDeletions(
  database: Database,
  limit: number,
): Promise<readonly User[]> {
  const begun = await database.read((client) =>
    client.collection('users').orderBy('deleting_at').limit(limit).get(),
  )
  const { documents } = await database.getAll(deletionMarkReference(database))
  const mark = documents.map(deletionMarkOf).find((found) => found !== undefined)
  const marked = mark === undefined ? [] : await usersBefore(database, mark, limit)
  const users = [...begun.docs.map(userOf), ...marked].filter((user) => user !== undefined)
  return [...new Map(users.map((user) => [user.id, user])).values()].slice(0, limit)
}

async function usersBefore(database: Database, mark: DeletionMark, limit: number) {
  const found = await database.read((client) =>
    client
      .collection('users')
      .where('created_at', '<', mark.before)
      .orderBy('created_at')
      .limit(limit + 1)
      .get(),
  )
  return found.docs.map(userOf).filter((user) => user?.id !== mark.except)
}
