/**
 * What a presented token of a session means, as one pure state machine (contract 5, SES-03 to SES-08).
 * n is the stored generation, d its delivery. A new hand-out is one more than 20 s after the last.
 *
 * | presented          | state                        | answer           | new state                      |
 * |--------------------|------------------------------|------------------|--------------------------------|
 * | refresh token n    | live                         | rotated          | n+1, d = 1, handed out now     |
 * | refresh token n-1  | n unseen, within 20 s        | repeated         | handed out now                 |
 * | refresh token n-1  | n unseen, later              | repeated         | (n, d) replaced, d+1, out now  |
 * | refresh token n-1  | n seen, within 20 s          | repeated         | unchanged                      |
 * | refresh token n-1  | n seen, later                | reused           | ended                          |
 * | refresh token < n-1| n handed out after it came   | late             | unchanged                      |
 * | refresh token < n-1| live                         | reused           | ended                          |
 * | access token       | replaced by a later hand-out | reused           | ended                          |
 * | access token (n, d)| n unseen                     | served           | n seen, before the answer      |
 * | access token < n   | not replaced                 | served           | unchanged                      |
 * | either, above n, d | a restored database          | session ended    | unchanged                      |
 *
 * A second hand-out while nothing of the first was seen is a lost reply, or a thief; which of the two,
 * the replaced access token tells: its holder is not the one who asked again.
 */
import { endSession, type HandOut, isLive, later, type Session } from './session.ts'

/** Requests that arrive so close together are one hand-out: two tabs, a quick retry. */
export const SAME_HAND_OUT_MS = 20_000
/** An access token lives 15 minutes at most, and 60 s of clock skew are allowed. */
export const SUPERSEDED_MS = 16 * 60_000
/** No more can arise: one each 20 s within 16 minutes. */
export const MAX_SUPERSEDED = 48

export type RefreshVerdict =
  | { readonly kind: 'ended' }
  /** Its request was overtaken by a later one of the same app and proves nothing: whoever still waits may ask again. */
  | { readonly kind: 'late' }
  /** Ends the session: commit `session`, then refuse with `refresh_token_reused`. */
  | { readonly kind: 'reused'; readonly session: Session }
  /** `session` is the next generation; its `currentHash` is the caller's to set. */
  | { readonly kind: 'rotated'; readonly session: Session }
  /** The same refresh token again and a fresh access token. `session` is the given one where nothing changed. */
  | { readonly kind: 'repeated'; readonly session: Session }

export type Presented = {
  readonly generation: number
  /** When its request came. A slow store may be asked much later, when the app has given up and asked again. */
  readonly presentedAt: Date
}

/** What an authentic refresh token means. The times are Firestore's. */
export function useRefreshToken(
  session: Session,
  { generation, presentedAt }: Presented,
  now: Date,
): RefreshVerdict {
  if (!isLive(session, now) || generation > session.generation) return { kind: 'ended' }
  if (generation === session.generation) return { kind: 'rotated', session: rotate(session, now) }

  const isPrevious = generation === session.generation - 1
  const seen = session.confirmedGeneration >= session.generation
  const sameHandOut = now.getTime() - session.handedOutAt.getTime() <= SAME_HAND_OUT_MS
  if (!isPrevious && presentedAt < session.handedOutAt) return { kind: 'late' }
  if (!isPrevious || (seen && !sameHandOut)) {
    return { kind: 'reused', session: endSession(session, 'refresh_reuse', now) }
  }
  if (seen) return { kind: 'repeated', session }
  const handedOut = sameHandOut ? session : replaceHandOut(session, now)
  return { kind: 'repeated', session: { ...handedOut, handedOutAt: now } }
}

function rotate(session: Session, now: Date): Session {
  return {
    ...session,
    generation: session.generation + 1,
    delivery: 1,
    previousHash: session.currentHash,
    confirmedGeneration: session.generation,
    handedOutAt: now,
    superseded: recent(session, now),
  }
}

function replaceHandOut(session: Session, now: Date): Session {
  const { generation, delivery } = session
  const superseded = [...recent(session, now), { generation, delivery, replacedAt: now }]
  return { ...session, delivery: delivery + 1, superseded: superseded.slice(-MAX_SUPERSEDED) }
}

function recent(session: Session, now: Date): Session['superseded'] {
  return session.superseded.filter(({ replacedAt }) => later(replacedAt, SUPERSEDED_MS) > now)
}

export type AccessVerdict =
  | { readonly kind: 'ended' }
  /** Ends the session: commit `session`, then refuse with `refresh_token_reused`. */
  | { readonly kind: 'reused'; readonly session: Session }
  /** First sight of this generation: commit `session`, then serve. */
  | { readonly kind: 'first-sight'; readonly session: Session }
  | { readonly kind: 'served' }

/** What a valid access token of this hand-out means. */
export function useAccessToken(session: Session, token: HandOut, now: Date): AccessVerdict {
  const { generation, delivery } = session
  const isCurrent = token.generation === generation
  const isAbove = token.generation > generation || (isCurrent && token.delivery > delivery)
  if (!isLive(session, now) || isAbove) return { kind: 'ended' }
  const isReplaced = session.superseded.some(
    (pair) => pair.generation === token.generation && pair.delivery === token.delivery,
  )
  if (isReplaced || (isCurrent && token.delivery < delivery)) {
    return { kind: 'reused', session: endSession(session, 'refresh_reuse', now) }
  }
  if (!isCurrent || session.confirmedGeneration >= generation) return { kind: 'served' }
  return { kind: 'first-sight', session: { ...session, confirmedGeneration: generation } }
}
