/** Removes all accounts that are marked for it, for as long as there is time (contract 2, `DELETE /users`). */
import type { Query } from '@google-cloud/firestore'
import {
  type AccountRemoval,
  addRemoved,
  type DeletionOutcome,
  NOTHING_REMOVED,
  type Removed,
  removeAccount,
} from './account-deletion.ts'
import { beginDeletion, unfinishedDeletions } from './deletions.ts'
import type { Database } from './firestore.ts'
import type { User } from './users.ts'

export type RemovalRun = Omit<AccountRemoval, 'user'>

/** Accounts that are worked on at the same time. */
const PARALLEL = 6

async function removeOne(run: RemovalRun, user: User): Promise<DeletionOutcome> {
  const { id: userId, username } = user
  if (user.deletingAt === undefined)
    await beginDeletion(run.database, { userId, username }, run.now)
  return await removeAccount({ ...run, user })
}

/**
 * Goes on with every deletion that was begun, of single accounts and of all. Also called by the sweep. `finished` is
 * false where time was up, or where an upload of one of them may still be writing. Throws `unavailable`.
 */
export async function removeMarkedAccounts(run: RemovalRun): Promise<DeletionOutcome> {
  const left = new Set<string>()
  let removed = NOTHING_REMOVED
  while (!run.isLate()) {
    const found = await unfinishedDeletions(run.database, left.size + PARALLEL)
    const next = found.filter((user) => !left.has(user.id)).slice(0, PARALLEL)
    if (next.length === 0) return { removed, finished: left.size === 0 }
    const outcomes = await Promise.all(next.map((user) => removeOne(run, user)))
    for (const [index, outcome] of outcomes.entries()) {
      removed = addRemoved(removed, outcome.removed)
      const id = next[index]?.id
      if (!outcome.finished && id !== undefined) left.add(id)
    }
  }
  return { removed, finished: false }
}

async function count(database: Database, query: (client: ReturnType<Database['client']>) => Query) {
  const found = await database.read((client) => query(client).count().get())
  return found.data().count
}

/** What belongs to all users but one: themselves, their sessions that have not ended, their photos. */
export async function countOthers(database: Database, exceptUserId: string): Promise<Removed> {
  const [users, sessions, ownSessions, photos, ownPhotos] = await Promise.all([
    count(database, (client) => client.collection('users')),
    count(database, (client) => client.collection('sessions').where('revoked_at', '==', null)),
    count(database, (client) =>
      client
        .collection('sessions')
        .where('revoked_at', '==', null)
        .where('user_id', '==', exceptUserId),
    ),
    count(database, (client) => client.collection('photos')),
    count(database, (client) => client.collection('photos').where('owner_id', '==', exceptUserId)),
  ])
  return { users: users - 1, sessions: sessions - ownSessions, photos: photos - ownPhotos }
}
