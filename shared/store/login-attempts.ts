/**
 * `rate_limits/{id}` of logins (RL-04, RL-05): failures of an address, and of an account from each network that it is
 * known from and from everyone else. A login reads them with the name, takes places while the password is hashed, and
 * reports the outcome without a precondition, so that phones behind one address don't make each other's logins fail.
 */
import { FieldPath, FieldValue, Timestamp } from '@google-cloud/firestore'
import { EMPTY_BUCKET, judge, settle, stillKnown, takePlace } from '../domain/login-throttle.ts'
import { encodeHits, type Hit, type LimitVerdict } from '../domain/sliding-window.ts'
import type { Database, DocumentReference, DocumentSnapshot, Transaction } from './firestore.ts'
import { bucketFields, bucketsOf, networksOf } from './login-buckets.ts'
import {
  accountSeat,
  accountSeatOfSession,
  addressSeat,
  type Buckets,
  KEEP_ACCOUNT_MS,
  keepMs,
  type LoginKeys,
  type LoginLimits,
  type Seat,
} from './login-seats.ts'
import { newMark, rateLimitDocument, writeUnchanged } from './rate-limits.ts'
import { untilWon } from './rounds.ts'
import { inTurn } from './turns.ts'

export type AttemptVerdict = LimitVerdict & {
  /** Name of the policy for `RateLimit`: `login-address` or `login-account`. */
  readonly policy: string
  /** Failures in a row that the account's bucket had before this attempt; alert at each 100. */
  readonly failures: number
}

/** One try of a password, from its first read to its outcome. */
export type LoginAttempt = {
  /** For the caller's one `getAll`. */
  readonly references: readonly DocumentReference[]
  /** What the plain read of `references`, in their order, says; where it refuses, nothing is to be written. */
  judge(read: readonly DocumentSnapshot[], readAt: Date): AttemptVerdict
  /**
   * Takes the places on top of the judged read, in one commit, while the password is checked; one more read and
   * commit for each race that is lost. A refusal stands whatever the password was. Throws `unavailable`.
   */
  count(): Promise<AttemptVerdict>
  /** Runs a commit that reports a success in its turn, so that it does not take the count of another away. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
  /** After a wrong password, before it is answered: the places become failures. One commit; safe to repeat. */
  fail(): Promise<void>
  /**
   * After a right password, within the commit that uses it: gives the places back, clears the account's bucket and
   * makes the network known. That commit fails where the counter was deleted with its account meanwhile.
   */
  succeed(transaction: Transaction): void
}

/** One seat as it was read. */
type Judged = {
  readonly seat: Seat
  readonly read: DocumentSnapshot
  /** The buckets in which a place is taken; the first one decides. */
  readonly buckets: Buckets
  readonly verdict: AttemptVerdict
}

function judgeSeat(seat: Seat, read: DocumentSnapshot, nowMs: number): Judged {
  const buckets = seat.bucketsFor(stillKnown(networksOf(read), nowMs))
  const stored = bucketsOf(read).get(buckets[0]) ?? EMPTY_BUCKET
  const bucket = settle(stored, seat.throttle.rates, nowMs)
  const { policy, throttle } = seat
  const verdict = { ...judge(bucket, throttle, nowMs), policy, failures: bucket.failures }
  return { seat, read, buckets, verdict }
}

/** All fields of the seat's document, with the attempt in flight. */
function fieldsWith({ seat, read, buckets }: Judged, attempt: Hit): Record<string, unknown> {
  const settled = [...bucketsOf(read)].map(([name, bucket]) => {
    return [name, settle(bucket, seat.throttle.rates, attempt.atMs)] as const
  })
  const all = new Map(settled)
  for (const name of buckets) all.set(name, takePlace(all.get(name) ?? EMPTY_BUCKET, attempt))
  const networks = stillKnown(networksOf(read), attempt.atMs)
  return {
    buckets: bucketFields(all),
    networks: Object.fromEntries(networks),
    purge_at: new Date(attempt.atMs + keepMs(seat, networks)),
  }
}

/** The refusal that lasts longest, else the verdict of the account's seat, which is the last. */
function strictest(judged: readonly Judged[]): AttemptVerdict {
  const verdicts = judged.map((one) => one.verdict)
  const [longest] = verdicts
    .filter((verdict) => !verdict.admitted)
    .toSorted((one, other) => other.retryAfterSeconds - one.retryAfterSeconds)
  const strict = longest ?? verdicts.at(-1)
  if (strict === undefined) throw new TypeError('a read answers each reference')
  return strict
}

/** The attempt's own place, found after a commit whose reply was lost; one commit takes all places. */
function ownPlace(judged: readonly Judged[], tried: readonly Hit[]): Hit | undefined {
  const holds = judged.flatMap(({ read, buckets }) => bucketsOf(read).get(buckets[0])?.holds ?? [])
  return tried.find((own) => {
    return holds.some((place) => place.atMs === own.atMs && place.mark === own.mark)
  })
}

/** Attempts of one process wait for one another instead of losing races; all take their turns in the order of seats. */
function inTurnAt<T>(seats: readonly Seat[], work: () => Promise<T>): Promise<T> {
  const waiting = (next: () => Promise<T>, seat: Seat) => () => inTurn(`login ${seat.id}`, next)
  return seats.reduceRight(waiting, work)()
}

function openAttempt(database: Database, seats: readonly Seat[]): LoginAttempt {
  const mark = newMark()
  const references = seats.map((seat) => rateLimitDocument(database, seat.id))
  const tried: Hit[] = []
  let attempt: Hit = { atMs: 0, mark }
  let judged: readonly Judged[] = []
  let current = false
  const judgeRead = (read: readonly DocumentSnapshot[], readAt: Date) => {
    attempt = { atMs: readAt.getTime(), mark }
    judged = seats.flatMap((seat, index) => {
      const document = read[index]
      return document === undefined ? [] : [judgeSeat(seat, document, attempt.atMs)]
    })
    current = true
    return strictest(judged)
  }
  const takePlaces = async () => {
    if (!current) {
      const { documents, readAt } = await database.getAll(...references)
      judgeRead(documents, readAt)
    }
    current = false
    const verdict = strictest(judged)
    const own = ownPlace(judged, tried)
    attempt = own ?? attempt
    if (own !== undefined) return { ...verdict, admitted: true, retryAfterSeconds: 0 }
    if (!verdict.admitted) return verdict
    tried.push(attempt)
    const writes = judged.map((one) => [one.read, fieldsWith(one, attempt)] as const)
    const outcome = await database.commit((transaction) => {
      for (const [read, fields] of writes) writeUnchanged(transaction, read, fields)
    })
    return outcome === 'committed' ? verdict : outcome
  }
  return {
    references,
    judge: judgeRead,
    count: () => inTurnAt(seats, () => untilWon(takePlaces)),
    inTurn: (work) => inTurnAt(seats, work),
    fail: async () => {
      await database.commit((transaction) => reportFailure(transaction, judged, attempt))
    },
    succeed: (transaction) => reportSuccess(transaction, judged, attempt),
  }
}

function inBucket(bucket: string, field: string): FieldPath {
  return new FieldPath('buckets', bucket, field)
}

function reportFailure(transaction: Transaction, judged: readonly Judged[], attempt: Hit): void {
  const hit = encodeHits([attempt])
  for (const { read, buckets } of judged) {
    const [decides, ...besides] = buckets
    const reports = buckets.flatMap((name) => [
      inBucket(name, 'reported'),
      FieldValue.arrayUnion(hit),
    ])
    const places = besides.flatMap((name) => [inBucket(name, 'holds'), FieldValue.arrayRemove(hit)])
    const decided = inBucket(decides, 'holds')
    transaction.update(read.ref, decided, FieldValue.arrayRemove(hit), ...places, ...reports)
  }
}

function reportSuccess(transaction: Transaction, judged: readonly Judged[], attempt: Hit): void {
  const hit = encodeHits([attempt])
  for (const { seat, read, buckets } of judged) {
    const [decides, ...besides] = buckets
    const first = seat.clears
      ? ([new FieldPath('buckets', decides), FieldValue.delete()] as const)
      : ([inBucket(decides, 'holds'), FieldValue.arrayRemove(hit)] as const)
    const more = besides.flatMap((name) => [inBucket(name, 'holds'), FieldValue.arrayRemove(hit)])
    const known = seat.network === undefined ? [] : knownNow(seat.network, attempt.atMs)
    transaction.update(read.ref, ...first, ...more, ...known)
  }
}

function knownNow(network: string, nowMs: number): readonly unknown[] {
  const purgeAt = new Date(nowMs + KEEP_ACCOUNT_MS)
  return [new FieldPath('networks', network), Timestamp.fromMillis(nowMs), 'purge_at', purgeAt]
}

/** An attempt to log in: limited by address, and by account from this network. */
export function openLogin(database: Database, keys: LoginKeys, limits: LoginLimits): LoginAttempt {
  return openAttempt(database, [addressSeat(keys, limits), accountSeat(keys, limits)])
}

/**
 * An attempt to confirm the password of a signed-in user. It counts against everyone else who guesses, but only the
 * failures of the account's own sessions refuse it, so that guessing from outside can't keep the owner from
 * changing the password. `counterId` is `users/{uid}.counter_id`.
 */
export function openConfirmation(
  database: Database,
  counterId: string,
  limits: Pick<LoginLimits, 'LOGIN_LIMIT_PER_ACCOUNT'>,
): LoginAttempt {
  return openAttempt(database, [accountSeatOfSession(counterId, limits)])
}

/** Within the registration's commit: the new account begins with this network as the only known one (RL-05). */
export function startAccountCounter(
  transaction: Transaction,
  database: Database,
  keys: LoginKeys,
  now: Date,
): void {
  transaction.set(rateLimitDocument(database, keys.account), {
    networks: { [keys.network]: now },
    purge_at: new Date(now.getTime() + KEEP_ACCOUNT_MS),
  })
}
