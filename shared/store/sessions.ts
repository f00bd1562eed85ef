/** `sessions/{id}`: one document a device (SES-01). Nothing here is cached: a logout counts on the next call. */
import { ProblemError } from '../domain/problem.ts'
import {
  endSession,
  isLive,
  MAX_SESSIONS,
  type RevokeReason,
  type Session,
  type SessionLife,
} from '../domain/session.ts'
import { deletionMarkOf, deletionMarkReference, isDeletedWithAll } from './deletion-mark.ts'
import type {
  Database,
  DocumentReference,
  DocumentSnapshot,
  Firestore,
  Query,
  Transaction,
} from './firestore.ts'
import { untilWon } from './rounds.ts'
import { LIFE_FIELDS, sessionFields, sessionLifeOf, sessionOf } from './session-fields.ts'
import { type User, userOf, userReference } from './users.ts'

/** More than a user can have alive; those beyond it are seen by the next login. */
const LISTED = 100

export function sessionReference(database: Database, sessionId: string): DocumentReference {
  return database.client().collection('sessions').doc(sessionId)
}

/** Within the commit of a login or registration. */
export function createSession(
  transaction: Transaction,
  database: Database,
  session: Session,
): void {
  transaction.create(sessionReference(database, session.id), sessionFields(session))
}

/** A session as it was read, and the one write that may follow. */
export type StoredSession = {
  /** Undefined where there is none, or where its document is damaged. */
  readonly session: Session | undefined
  /** There is a document, and a field of it is missing or of another type (F26). */
  readonly damaged: boolean
  /** Firestore's time of the read. */
  readonly readAt: Date
  /** One commit, `lost` where the session is no longer as it was read. */
  replace(next: Session): Promise<'committed' | 'lost'>
}

/** A session with its owner. */
export type OwnedSession = StoredSession & {
  /** Undefined where the user is gone, is being deleted, or went with all others (`deletions/all`). */
  readonly user: User | undefined
}

function stored(database: Database, document: DocumentSnapshot, readAt: Date): StoredSession {
  const session = sessionOf(document)
  return {
    session,
    damaged: document.exists && session === undefined,
    readAt,
    replace: (next) =>
      database.commit((transaction) => {
        const { updateTime } = document
        const precondition = updateTime === undefined ? {} : { lastUpdateTime: updateTime }
        transaction.update(document.ref, sessionFields(next), precondition)
      }),
  }
}

function only(documents: readonly DocumentSnapshot[], index: number): DocumentSnapshot {
  const document = documents[index]
  if (document === undefined) throw new TypeError('a document was not answered')
  return document
}

/** One read of the session alone; both ids have been checked for their form. */
export async function readSession(database: Database, sessionId: string): Promise<StoredSession> {
  const { documents, readAt } = await database.getAll(sessionReference(database, sessionId))
  return stored(database, only(documents, 0), readAt)
}

/** One read of session, user and the mark of `DELETE /users`; ids have been checked for their form. */
export async function readOwnedSession(
  database: Database,
  sessionId: string,
  userId: string,
): Promise<OwnedSession> {
  const { documents, readAt } = await database.getAll(
    sessionReference(database, sessionId),
    userReference(database, userId),
    deletionMarkReference(database),
  )
  const user = userOf(only(documents, 1))
  const mark = deletionMarkOf(only(documents, 2))
  const isGone =
    user === undefined ||
    user.deletingAt !== undefined ||
    isDeletedWithAll(mark, user.id, user.createdAt)
  return { ...stored(database, only(documents, 0), readAt), user: isGone ? undefined : user }
}

/**
 * Session and user of a token that is authentic. Throws `session_ended` where either is gone, the session is not
 * this user's, of an earlier epoch (SES-11) or older than `TOKENS_NOT_BEFORE` (KEY-04).
 */
export function livingSession(
  { session, user }: OwnedSession,
  userId: string,
  notBefore: Date | 'none',
): { readonly session: Session; readonly user: User } {
  const isOwners =
    session?.userId === userId && user?.id === userId && session.sessionEpoch === user.sessionEpoch
  const tooOld = notBefore !== 'none' && session !== undefined && session.createdAt < notBefore
  if (session === undefined || user === undefined || !isOwners || tooOld) {
    throw new ProblemError('session_ended')
  }
  return { session, user }
}

/** A user's sessions that were not revoked, least recently used first; some may have ended by themselves. */
function unrevoked(client: Firestore, userId: string): Query {
  return client
    .collection('sessions')
    .where('user_id', '==', userId)
    .where('revoked_at', '==', null)
    .orderBy('last_used_at')
    .limit(LISTED)
}

/** What a login has to know of the user's sessions: how many live, least recently used first. */
export async function listSessionLives(
  database: Database,
  userId: string,
): Promise<readonly SessionLife[]> {
  const { docs } = await database.read((client) =>
    unrevoked(client, userId)
      .select(...LIFE_FIELDS)
      .get(),
  )
  return docs.map(sessionLifeOf).filter((session) => session !== undefined)
}

function isOfEpoch(session: SessionLife, sessionEpoch: number, now: Date): boolean {
  return session.sessionEpoch === sessionEpoch && isLive(session, now)
}

/** The devices of a caller, last used first, at most 20. The caller's own session, which was just read, tells the epoch. */
export async function liveSessions(
  database: Database,
  userId: string,
  ownId: string,
  now: Date,
): Promise<readonly Session[]> {
  const { docs } = await database.read((client) => unrevoked(client, userId).get())
  const listed = docs.map(sessionOf).filter((session) => session !== undefined)
  const epoch = listed.find((session) => session.id === ownId)?.sessionEpoch
  return listed
    .filter((session) => epoch !== undefined && isOfEpoch(session, epoch, now))
    .toReversed()
    .slice(0, MAX_SESSIONS)
}

/**
 * Within a login's commit: ends the least recently used sessions, so that with the new one there are 20,
 * and marks those that ended by themselves.
 */
export function makeRoom(
  transaction: Transaction,
  database: Database,
  listed: readonly SessionLife[],
  sessionEpoch: number,
  now: Date,
): void {
  const live = listed.filter((session) => isOfEpoch(session, sessionEpoch, now))
  const crowded = live.slice(0, Math.max(0, live.length - MAX_SESSIONS + 1))
  for (const session of listed) {
    if (!live.includes(session)) revoke(transaction, database, session.id, 'over', now)
  }
  for (const session of crowded) {
    revoke(transaction, database, session.id, 'too_many_sessions', now)
  }
}

function revoke(
  transaction: Transaction,
  database: Database,
  sessionId: string,
  reason: RevokeReason,
  now: Date,
): void {
  const fields = { revoked_at: now, revoke_reason: reason }
  transaction.update(sessionReference(database, sessionId), fields)
}

/** Ends one session of this user; false where the user has none of that id. */
export async function revokeSession(
  database: Database,
  userId: string,
  sessionId: string,
): Promise<boolean> {
  return await untilWon(async () => {
    const { session, readAt, replace } = await readSession(database, sessionId)
    if (session?.userId !== userId) return false
    if (session.revokedAt !== undefined) return true
    const outcome = await replace(endSession(session, 'revoked', readAt))
    return outcome === 'committed' ? true : outcome
  })
}

/** Ends all sessions of a user but the one to keep; how many there were. */
export async function revokeAllSessions(
  database: Database,
  userId: string,
  keptId: string | undefined,
): Promise<number> {
  let ended = 0
  return await untilWon(async () => {
    const listed = await listSessionLives(database, userId)
    const others = listed.filter((session) => session.id !== keptId)
    if (others.length === 0) return ended
    const now = new Date()
    const outcome = await database.commit((transaction) => {
      for (const { id } of others) revoke(transaction, database, id, 'revoked', now)
    })
    if (outcome === 'committed') ended += others.length
    return outcome === 'committed' && listed.length < LISTED ? ended : 'lost'
  })
}

/** Ends the session where it lives and is the token's; true where this call ended it. One read and one commit. */
export async function logOut(
  database: Database,
  sessionId: string,
  isOf: (session: Session) => boolean,
): Promise<boolean> {
  return await untilWon(async () => {
    const { session, readAt, replace } = await readSession(database, sessionId)
    if (session === undefined || session.revokedAt !== undefined || !isOf(session)) return false
    const outcome = await replace(endSession(session, 'logout', readAt))
    return outcome === 'committed' ? true : outcome
  })
}
