/**
 * The start of an upload: user, limit, quota and idempotency key decided together, in one read and one commit
 * (contract 6, 7). What is refused is refused from the read, without a write (RL-01).
 */
import { keyVerdict, MAX_REPLAYS } from '../domain/idempotency.ts'
import { ProblemError } from '../domain/problem.ts'
import {
  type AskedSpace,
  bytesToReserve,
  NO_USAGE,
  type Quota,
  type Usage,
} from '../domain/quota.ts'
import type { Rate } from '../domain/rate.ts'
import {
  type LimitVerdict,
  openAdmission,
  type Admission as Place,
  type WindowVerdict,
} from '../domain/sliding-window.ts'
import type { Database, DocumentSnapshot, Transaction } from './firestore.ts'
import {
  countReplay,
  type KeyAnswer,
  keyDocument,
  keyStateOf,
  takeKey,
} from './idempotency-keys.ts'
import {
  newMark,
  rateLimitDocument,
  storedHits,
  userLimitId,
  windowFields,
  writeUnchanged,
} from './rate-limits.ts'
import { untilWon } from './rounds.ts'
import { inTurn } from './turns.ts'
import { usageDocument, usageFields, usageOf } from './usage.ts'
import { userOf, userReference } from './users.ts'

export type UploadLimits = {
  /** Accepted starts per user. */
  readonly rates: readonly Rate[]
  readonly quota: Quota
}

export type UploadStart = AskedSpace & {
  readonly userId: string
  /** Id of the record that `attempt` writes. */
  readonly attemptId: string
  readonly keyId: string | undefined
}

/** What differs between the two ways of uploading. */
export type Attempt = {
  /** Writes the attempt's own record, within the admission's commit. */
  create(write: Transaction, held: { readonly bytes: number; readonly at: Date }): void
  /**
   * Reads the attempt of a key's dead holder and returns what gives it up, within the same commit, and the bytes
   * and places that it held; undefined where nothing is left of it.
   */
  giveUp(attemptId: string): Promise<GivenUp | undefined>
  /** False where the answer of a key is no longer true, so that the key is free. */
  stands?(answer: KeyAnswer): Promise<boolean>
}
export type GivenUp = { readonly reservedBytes: number; write(write: Transaction): void }

export type Admitted = {
  readonly outcome: 'admitted'
  readonly reservedBytes: number
  /** Firestore's time (RL-03). */
  readonly at: Date
  readonly window: WindowVerdict
}

export type Repeat = {
  readonly outcome: 'repeat'
  readonly receivedSha256: string
  readonly answer: KeyAnswer
}

/**
 * - `admitted`: counted, held, and its record written.
 * - `repeat`: of an answered key; counted as a repeat, and nothing held.
 * - `limited`: refused by the limit `upload` or, of too many repeats, `repeats`.
 */
export type Admission =
  | Admitted
  | Repeat
  | {
      readonly outcome: 'limited'
      readonly policy: 'upload' | 'repeats'
      readonly verdict: LimitVerdict
    }

type Reads = {
  readonly user: DocumentSnapshot
  readonly window: DocumentSnapshot
  readonly usage: DocumentSnapshot
  readonly key: DocumentSnapshot | undefined
  readonly at: Date
}

const DAY_SECONDS = 86_400

/**
 * Admits an upload, or says why not. Throws `session_ended` where the account is gone, `quota_exceeded`,
 * `idempotency_key_in_use` (with a time to wait), `unavailable`.
 */
export async function admitUpload(
  database: Database,
  start: UploadStart,
  attempt: Attempt,
  limits: UploadLimits,
): Promise<Admission> {
  const request: UploadRequest = {
    database,
    start,
    attempt,
    limits,
    place: openAdmission(newMark()),
  }
  return await inTurn(start.userId, () => untilWon(() => admitOnce(request)))
}

type UploadRequest = {
  readonly database: Database
  readonly start: UploadStart
  readonly attempt: Attempt
  readonly limits: UploadLimits
  readonly place: Place
  /** What the latest commit was to say, for where it was applied and its reply lost. */
  written?: Admission
}

async function admitOnce(request: UploadRequest): Promise<Admission | 'lost'> {
  const reads = await readAll(request.database, request.start)
  const user = userOf(reads.user)
  const gone = user === undefined || user.deletingAt !== undefined || !reads.usage.exists
  if (gone) throw new ProblemError('session_ended')
  const key = keyVerdict(reads.key && keyStateOf(reads.key), reads.at)
  switch (key.verdict) {
    case 'exhausted':
      return tooManyRepeats(key.keptUntil, reads.at)
    case 'repeat':
      return await repeat(request, reads, key)
    case 'abandoned':
      return await takePlace(request, reads, await request.attempt.giveUp(key.attemptId))
    case 'running':
      if (key.attemptId !== request.start.attemptId) throw inUse()
      return await takePlace(request, reads, undefined)
    case 'free':
      return await takePlace(request, reads, undefined)
  }
}

async function readAll(database: Database, start: UploadStart): Promise<Reads> {
  const references = [
    userReference(database, start.userId),
    rateLimitDocument(database, userLimitId('upload', start.userId)),
    usageDocument(database, start.userId),
    ...(start.keyId === undefined ? [] : [keyDocument(database, start.keyId)]),
  ]
  const { documents, readAt } = await database.getAll(...references)
  const [user, window, usage, key] = documents
  if (user === undefined || window === undefined || usage === undefined) {
    throw new TypeError('a read answers each reference')
  }
  return { user, window, usage, key, at: readAt }
}

function inUse(): ProblemError {
  return new ProblemError('idempotency_key_in_use', { retryAfterSeconds: 2 })
}

function tooManyRepeats(keptUntil: Date, now: Date): Admission {
  const seconds = Math.ceil((keptUntil.getTime() - now.getTime()) / 1000)
  const rate = { count: MAX_REPLAYS, windowSeconds: DAY_SECONDS }
  const windows = [{ rate, remaining: 0, resetSeconds: seconds }]
  const verdict = { admitted: false, windows, retryAfterSeconds: seconds }
  return { outcome: 'limited', policy: 'repeats', verdict }
}

async function repeat(
  request: UploadRequest,
  reads: Reads,
  answered: Pick<Repeat, 'receivedSha256' | 'answer'>,
): Promise<Admission | 'lost'> {
  const { key } = reads
  if (key === undefined) throw new TypeError('a repeat has a key')
  const stands = (await request.attempt.stands?.(answered.answer)) ?? true
  if (!stands) return await takePlace(request, reads, undefined)
  const outcome = await request.database.commit((write) => countReplay(write, key))
  return outcome === 'lost' ? 'lost' : { outcome: 'repeat', ...answered }
}

function usageWithout(reads: Reads, abandoned: GivenUp | undefined): Usage {
  const usage = usageOf(reads.usage) ?? NO_USAGE
  if (abandoned === undefined) return usage
  return {
    ...usage,
    reservedCount: usage.reservedCount - 1,
    reservedBytes: usage.reservedBytes - abandoned.reservedBytes,
  }
}

async function takePlace(
  request: UploadRequest,
  reads: Reads,
  abandoned: GivenUp | undefined,
): Promise<Admission | 'lost'> {
  const { start, limits, written } = request
  const window = request.place.decide(storedHits(reads.window), limits.rates, reads.at.getTime())
  if (window.repeated && written !== undefined) return written
  if (!window.admitted) return { outcome: 'limited', policy: 'upload', verdict: window }
  const usage = usageWithout(reads, abandoned)
  const reservedBytes = bytesToReserve(usage, limits.quota, start)
  if (reservedBytes === undefined) throw new ProblemError('quota_exceeded')
  const admitted: Admitted = { outcome: 'admitted', reservedBytes, at: reads.at, window }
  request.written = admitted
  const outcome = await request.database.commit((write) => {
    writeAdmission(write, request, reads, admitted, usage)
    abandoned?.write(write)
  })
  return outcome === 'lost' ? 'lost' : admitted
}

function writeAdmission(
  write: Transaction,
  { start, attempt, limits }: UploadRequest,
  reads: Reads,
  { reservedBytes, window, at }: Admitted,
  before: Usage,
): void {
  const usage = {
    ...before,
    reservedCount: before.reservedCount + 1,
    reservedBytes: before.reservedBytes + reservedBytes,
  }
  writeUnchanged(write, reads.window, windowFields(window, limits.rates, at.getTime()))
  writeUnchanged(write, reads.usage, usageFields(usage))
  if (reads.key !== undefined) takeKey(write, reads.key, start, at)
  attempt.create(write, { bytes: reservedBytes, at })
}
