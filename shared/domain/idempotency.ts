/** What a request with an `Idempotency-Key` means (contract 6, UP-12). */

/** The state of a key; `Answer` is what its first request was answered with. */
export type KeyState<Answer> =
  | {
      readonly state: 'running'
      /** The pending photo or the direct upload that it stands for. */
      readonly attemptId: string
      /** Its holder is taken for dead from here on. */
      readonly leaseUntil: Date
    }
  | {
      readonly state: 'answered'
      /** SHA-256 of what was received, lower-case hex. */
      readonly receivedSha256: string
      readonly answer: Answer
      readonly replays: number
      /** The key is free from here on. */
      readonly keptUntil: Date
    }

/**
 * - `free`: never used, or long ago, or its photo was never made; the request goes on as if alone.
 * - `abandoned`: its holder died; the request takes its place, `attemptId` is to be given up.
 * - `running`: the first request, that of `attemptId`, is still at work.
 * - `repeat`: answered; the same bytes get the same answer.
 * - `exhausted`: repeated too often; free at `keptUntil`.
 */
export type KeyVerdict<Answer> =
  | { readonly verdict: 'free' }
  | { readonly verdict: 'abandoned'; readonly attemptId: string }
  | { readonly verdict: 'running'; readonly attemptId: string }
  | { readonly verdict: 'repeat'; readonly receivedSha256: string; readonly answer: Answer }
  | { readonly verdict: 'exhausted'; readonly keptUntil: Date }

/** Repeats of one key that are answered. */
export const MAX_REPLAYS = 20

const LEASE_MS = 60_000
/** How often a holder renews its lease, here and of a direct upload: it may miss one and still be alive. */
export const RENEW_MS = 10_000
const KEPT_MS = 24 * 3_600_000

export function leaseUntil(now: Date): Date {
  return new Date(now.getTime() + LEASE_MS)
}

/** How long a key stays used: from its answer, and again from the deletion of its photo. */
export function keptUntil(now: Date): Date {
  return new Date(now.getTime() + KEPT_MS)
}

export function keyVerdict<Answer>(
  key: KeyState<Answer> | undefined,
  now: Date,
): KeyVerdict<Answer> {
  if (key === undefined) return { verdict: 'free' }
  if (key.state === 'running') {
    const alive = now.getTime() < key.leaseUntil.getTime()
    return { verdict: alive ? 'running' : 'abandoned', attemptId: key.attemptId }
  }
  if (now.getTime() >= key.keptUntil.getTime()) return { verdict: 'free' }
  if (key.replays >= MAX_REPLAYS) return { verdict: 'exhausted', keptUntil: key.keptUntil }
  return { verdict: 'repeat', receivedSha256: key.receivedSha256, answer: key.answer }
}
