/** All users, for admins: oldest first, without those who are gone already. */
import { FieldPath } from '@google-cloud/firestore'
import type { PagePosition } from '../domain/page.ts'
import {
  type DeletionMark,
  deletionMarkOf,
  deletionMarkReference,
  isDeletedWithAll,
} from './deletion-mark.ts'
import type { Database, DocumentSnapshot } from './firestore.ts'
import { usageDocument, usageOf } from './usage.ts'
import { type User, userOf } from './users.ts'

export type ListedUser = User & {
  /** Visible photos. */
  readonly photoCount: number
}

export type UserPage = {
  readonly users: readonly ListedUser[]
  /** Where the following page begins; undefined on the last. */
  readonly next: PagePosition | undefined
}

/** The users after a position, in one query; `next` is undefined where there are no more. */
async function usersAfter(database: Database, after: PagePosition | undefined, limit: number) {
  const found = await database.read((client) => {
    const oldestFirst = client
      .collection('users')
      .orderBy('created_at')
      .orderBy(FieldPath.documentId())
    const started =
      after === undefined ? oldestFirst : oldestFirst.startAfter(new Date(after.atMs), after.id)
    return started.limit(limit).get()
  })
  const users = found.docs.map(userOf).filter((user) => user !== undefined)
  const last = users.at(-1)
  return { users, next: found.size < limit || last === undefined ? undefined : positionOf(last) }
}

async function readMark(database: Database, users: readonly User[]) {
  const usages = users.map((user) => usageDocument(database, user.id))
  const { documents } = await database.getAll(deletionMarkReference(database), ...usages)
  const [mark, ...rest] = documents
  const counts = rest.map((document: DocumentSnapshot) => usageOf(document)?.photoCount ?? 0)
  return { mark: mark === undefined ? undefined : deletionMarkOf(mark), counts }
}

function isGone(user: User, mark: DeletionMark | undefined): boolean {
  return user.deletingAt !== undefined || isDeletedWithAll(mark, user.id, user.createdAt)
}

/** The users of one query that are not gone, with what their photos count. */
async function present(database: Database, users: readonly User[]): Promise<ListedUser[]> {
  const { mark, counts } = await readMark(database, users)
  const all = users.map((user, index) => ({ ...user, photoCount: counts[index] ?? 0 }))
  return all.filter((user) => !isGone(user, mark))
}

/** A page of at most `size` users. Who is being deleted is left out, so several reads may make one page. */
export async function listUsers(
  database: Database,
  page: { readonly size: number; readonly after: PagePosition | undefined },
): Promise<UserPage> {
  const listed: ListedUser[] = []
  let { after } = page
  do {
    const found = await usersAfter(database, after, page.size + 1)
    listed.push(...(await present(database, found.users)))
    after = found.next
  } while (after !== undefined && listed.length <= page.size)
  const users = listed.slice(0, page.size)
  const last = users.at(-1)
  const more = listed.length > page.size && last !== undefined
  return { users, next: more ? positionOf(last) : undefined }
}

function positionOf(user: User): PagePosition {
  return { atMs: user.createdAt.getTime(), id: user.id }
}

/** Every admin, oldest first; the few that there are. */
export async function listAdmins(database: Database): Promise<readonly User[]> {
  const found = await database.read((client) =>
    client.collection('users').where('role', '==', 'admin').limit(1000).get(),
  )
  const admins = found.docs.map(userOf).filter((user) => user !== undefined)
  const { mark } = await readMark(database, [])
  return admins
    .filter((user) => !isGone(user, mark))
    .toSorted((one, other) => one.createdAt.getTime() - other.createdAt.getTime())
}
