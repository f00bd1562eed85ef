/**
 * Failed logins (RL-04, RL-05): a sliding window and, for accounts, a delay that grows with every failure in a row.
 * An attempt takes its place before its password is checked, so parallel guesses don't slip through; the place is
 * given back by a success, kept by a failure, and free again after 5 s where neither was heard of.
 */
import type { Rate } from './rate.ts'
import {
  decodeHits,
  encodeHits,
  type Hit,
  inOrder,
  joinWindows,
  type LimitVerdict,
  prune,
  type WindowState,
  windowState,
} from './sliding-window.ts'

/** The failures of one network, or of one account from one network or from everyone else. */
export type Bucket = {
  /** Failures in a row: since the last success, or since a day without one. */
  readonly failures: number
  /** 0 where there was none. */
  readonly lastFailureMs: number
  /** Log of the failures that a window still needs, encoded. */
  readonly hits: Uint8Array
  /** Attempts whose outcome is not known. */
  readonly holds: readonly Hit[]
  /** Failures that were reported and are not in `failures` and `hits` yet. */
  readonly reported: readonly Hit[]
}

export type Throttle = { readonly rates: readonly Rate[]; readonly growingDelay: boolean }

export const EMPTY_BUCKET: Bucket = {
  failures: 0,
  lastFailureMs: 0,
  hits: new Uint8Array(),
  holds: [],
  reported: [],
}

/** An attempt in flight holds its place for so long at most. */
export const HOLD_MS = 5_000
/** So many failures in a row cost nothing but their place. */
const FREE_FAILURES = 5
const LONGEST_DELAY_SECONDS = 900
const DAY_MS = 86_400_000

/** Seconds to wait after so many failures in a row: after 5 one, then 2, 4 … 900 at most. */
export function delaySeconds(failures: number): number {
  if (failures < FREE_FAILURES) return 0
  return Math.min(LONGEST_DELAY_SECONDS, 2 ** Math.min(failures - FREE_FAILURES, 10))
}

const isSame = (one: Hit) => (other: Hit) => one.atMs === other.atMs && one.mark === other.mark

/** The bucket with its reports counted, and without what is over: lapsed places, failures of before a quiet day. */
export function settle(bucket: Bucket, rates: readonly Rate[], nowMs: number): Bucket {
  const known = decodeHits(bucket.hits)
  const fresh = bucket.reported.filter(
    (report, index, all) => !known.some(isSame(report)) && all.findIndex(isSame(report)) === index,
  )
  const hits = inOrder([...known, ...fresh])
  const lastFailureMs = Math.max(bucket.lastFailureMs, ...fresh.map((hit) => hit.atMs))
  const forgotten = nowMs - lastFailureMs >= DAY_MS
  return {
    failures: forgotten ? 0 : bucket.failures + fresh.length,
    lastFailureMs: forgotten ? 0 : lastFailureMs,
    hits: encodeHits(prune(hits, rates, nowMs)),
    holds: bucket.holds.filter((hold) => Math.abs(nowMs - hold.atMs) < HOLD_MS),
    reported: [],
  }
}

/** From when on the growing delay admits the next attempt: one at a time once it has begun. */
function delayEndsMs(bucket: Bucket): number {
  if (bucket.failures < FREE_FAILURES) return 0
  const afterFailure = bucket.lastFailureMs + delaySeconds(bucket.failures) * 1000
  return Math.max(afterFailure, ...bucket.holds.map((hold) => hold.atMs + HOLD_MS))
}

function stateOf(bucket: Bucket, rate: Rate, nowMs: number): WindowState {
  const windowMs = rate.windowSeconds * 1000
  const failures = decodeHits(bucket.hits).filter((hit) => hit.atMs - nowMs < windowMs)
  const freeAtMs = [
    ...failures.map((hit) => hit.atMs + windowMs),
    ...bucket.holds.map((hold) => hold.atMs + Math.min(HOLD_MS, windowMs)),
  ]
  return windowState(
    rate,
    freeAtMs.toSorted((one, other) => one - other),
    nowMs,
  )
}

/** Whether one more attempt may check a password now. `bucket` is settled at `nowMs`. */
export function judge(bucket: Bucket, throttle: Throttle, nowMs: number): LimitVerdict {
  const verdict = joinWindows(throttle.rates.map((rate) => stateOf(bucket, rate, nowMs)))
  const waitMs = throttle.growingDelay ? delayEndsMs(bucket) - nowMs : 0
  if (waitMs <= 0) return verdict
  const waitSeconds = Math.ceil(Math.min(waitMs, LONGEST_DELAY_SECONDS * 1000) / 1000)
  return {
    admitted: false,
    windows: verdict.windows.map(({ rate, remaining, resetSeconds }) => {
      const untilFreeSeconds = remaining === 0 ? resetSeconds : 0
      return { rate, remaining: 0, resetSeconds: Math.max(untilFreeSeconds, waitSeconds) }
    }),
    retryAfterSeconds: Math.max(verdict.retryAfterSeconds, waitSeconds),
  }
}

/** The bucket with one more attempt in flight. */
export function takePlace(bucket: Bucket, attempt: Hit): Bucket {
  return { ...bucket, holds: [...bucket.holds, attempt] }
}

/** A network from which the account's owner signed in, as a keyed hash, and when last. */
export type KnownNetworks = ReadonlyMap<string, Date>

const KNOWN_MS = 30 * DAY_MS
/** Each known network has a bucket of its own, so their number bounds what can be guessed from all of them. */
const MOST_KNOWN = 8

/** The networks that still count as known: of the last 30 days, the latest 8. */
export function stillKnown(networks: KnownNetworks, nowMs: number): KnownNetworks {
  const fresh = [...networks].filter(([, seen]) => nowMs - seen.getTime() < KNOWN_MS)
  const latest = fresh.toSorted(([, one], [, other]) => other.getTime() - one.getTime())
  return new Map(latest.slice(0, MOST_KNOWN))
}
