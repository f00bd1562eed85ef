/**
 * An exact sliding window log (RL-01): in every half-open interval of a rate's length, at most its count is
 * admitted. The log is one value of 8 bytes a hit, ascending: 44 bits of milliseconds since 1970, 20 of a mark.
 */
import type { Rate } from './rate.ts'

/** One thing that counts: when it was admitted, and by which operation. */
export type Hit = { readonly atMs: number; readonly mark: number }

/** Marks are drawn from 0 to MARKS - 1. */
export const MARKS = 2 ** 20

const HIT_BYTES = 8
const LOW_MS = 2 ** 12
/** Re-runs come within 10 s; hits stay recognisable for longer than that, however short the window. */
const RECOGNISED_MS = 15_000
/** Of the hits that no window needs any more, so many are kept to be recognised. */
const RECOGNISED_HITS = 1_000

export function encodeHits(hits: readonly Hit[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(hits.length * HIT_BYTES))
  for (const [index, { atMs, mark }] of hits.entries()) {
    bytes.setUint32(index * HIT_BYTES, Math.floor(atMs / LOW_MS))
    bytes.setUint32(index * HIT_BYTES + 4, (atMs % LOW_MS) * MARKS + mark)
  }
  return new Uint8Array(bytes.buffer)
}

/** The inverse of `encodeHits`; absent bytes are an empty log, bytes of half a hit at the end are left out. */
export function decodeHits(bytes: Uint8Array | undefined): readonly Hit[] {
  if (bytes === undefined) return []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: Math.floor(bytes.byteLength / HIT_BYTES) }, (_, index) => {
    const low = view.getUint32(index * HIT_BYTES + 4)
    const atMs = view.getUint32(index * HIT_BYTES) * LOW_MS + Math.floor(low / MARKS)
    return { atMs, mark: low % MARKS }
  })
}

/** How one rate stands, as the reply headers `RateLimit-Policy` and `RateLimit` show it. */
export type WindowState = {
  readonly rate: Rate
  /** How many more are admitted at once. */
  readonly remaining: number
  /** Whole seconds, rounded up, until there is one more. */
  readonly resetSeconds: number
}

/** What a limit says, whichever kind it is. */
export type LimitVerdict = {
  readonly admitted: boolean
  /** One per rate, in the order of the setting. */
  readonly windows: readonly WindowState[]
  /** Whole seconds after which the same request is admitted, rounded up; 0 where it was. */
  readonly retryAfterSeconds: number
}

export type WindowVerdict = LimitVerdict & {
  /** True where an earlier run of the same admission was committed: all that it writes is there already. */
  readonly repeated: boolean
  /** The log to store, encoded; the given one where the verdict is a refusal or a repeat. */
  readonly hits: Uint8Array
}

function wholeSeconds(milliseconds: number): number {
  return Math.max(0, Math.ceil(milliseconds / 1000))
}

/** State of a rate whose places come free at these ascending times; a place is taken until then. */
export function windowState(
  rate: Rate,
  freeAtMs: readonly number[],
  nowMs: number,
): WindowState & { readonly nextFreeMs: number } {
  const taken = freeAtMs.filter((time) => time > nowMs)
  const nextFreeMs = taken[Math.max(0, taken.length - rate.count)] ?? nowMs
  return {
    rate,
    remaining: Math.max(0, rate.count - taken.length),
    resetSeconds: wholeSeconds(nextFreeMs - nowMs),
    nextFreeMs,
  }
}

/** The verdict of several rates: admitted where each has a place left. */
export function joinWindows(states: readonly WindowState[]): LimitVerdict {
  const full = states.filter((state) => state.remaining === 0)
  return {
    admitted: full.length === 0,
    windows: states.map(({ rate, remaining, resetSeconds }) => ({ rate, remaining, resetSeconds })),
    retryAfterSeconds: Math.max(0, ...full.map((state) => state.resetSeconds)),
  }
}

/** Hits by more than a window ahead of the clock, after it was set back, would block for too long: they don't count. */
function freeTimes(hits: readonly Hit[], rate: Rate, nowMs: number): readonly number[] {
  const windowMs = rate.windowSeconds * 1000
  return hits.filter((hit) => hit.atMs - nowMs < windowMs).map((hit) => hit.atMs + windowMs)
}

function statesOf(hits: readonly Hit[], rates: readonly Rate[], nowMs: number) {
  return rates.map((rate) => windowState(rate, freeTimes(hits, rate, nowMs), nowMs))
}

export function longestWindowMs(rates: readonly Rate[]): number {
  return Math.max(...rates.map((rate) => rate.windowSeconds)) * 1000
}

/** The hits that a window or a re-run can still need. */
export function prune(hits: readonly Hit[], rates: readonly Rate[], nowMs: number): readonly Hit[] {
  const neededFrom = nowMs - longestWindowMs(rates)
  const needed = hits.findIndex((hit) => hit.atMs > neededFrom)
  const first = needed === -1 ? hits.length : needed
  const recognised = hits.slice(Math.max(0, first - RECOGNISED_HITS), first)
  return [...recognised.filter((hit) => hit.atMs > nowMs - RECOGNISED_MS), ...hits.slice(first)]
}

export function inOrder(hits: readonly Hit[]): readonly Hit[] {
  return hits.toSorted((one, other) => one.atMs - other.atMs)
}

export type Admission = {
  /**
   * Decides whether one more is admitted now, and counts it if so. Call it in each run of a transaction with what
   * that run read: `stored` is the log, `nowMs` the read's time (RL-03). A re-run whose first commit was applied
   * finds its own hit and is not counted twice.
   */
  decide(stored: Uint8Array | undefined, rates: readonly Rate[], nowMs: number): WindowVerdict
}

/**
 * One request for admission, made once, outside of the transaction's closure.
 * `mark` is a random whole number below MARKS; it and the time of an earlier run tell that run's hit from others'.
 */
export function openAdmission(mark: number): Admission {
  const triedAtMs = new Set<number>()
  return {
    decide: (stored, rates, nowMs) => {
      const hits = decodeHits(stored)
      const bytes = stored ?? new Uint8Array()
      if (hits.some((hit) => hit.mark === mark && triedAtMs.has(hit.atMs))) {
        const windows = joinWindows(statesOf(hits, rates, nowMs)).windows
        return { admitted: true, repeated: true, hits: bytes, windows, retryAfterSeconds: 0 }
      }
      const verdict = joinWindows(statesOf(hits, rates, nowMs))
      if (!verdict.admitted) return { ...verdict, repeated: false, hits: bytes }
      triedAtMs.add(nowMs)
      const counted = inOrder([...prune(hits, rates, nowMs), { atMs: nowMs, mark }])
      const { windows } = joinWindows(statesOf(counted, rates, nowMs))
      return { ...verdict, windows, repeated: false, hits: encodeHits(counted) }
    },
  }
}
