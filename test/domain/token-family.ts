/** A server of one session as the state machine decides it, for simulations; times are milliseconds. */
import { openSession, type Session } from '../../shared/domain/session.ts'
import { useAccessToken, useRefreshToken } from '../../shared/domain/token-use.ts'

export const LIFETIMES = { REFRESH_TOKEN_IDLE_DAYS: 30, REFRESH_TOKEN_MAX_DAYS: 180 }
export const START = Date.UTC(2026, 0, 1)
export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** What one answer carries: the refresh token's generation, and the place of its access token. */
export type Answer = {
  readonly generation: number
  readonly delivery: number
  readonly answeredAt: number
}

export function newSession(now = START): Session {
  const given = {
    id: 'session',
    userId: 'user',
    sessionEpoch: 0,
    currentHash: 'hash-1',
    name: 'Phone',
    network: '192.0.2.0/24',
  }
  return openSession(given, LIFETIMES, new Date(now))
}

export class TokenFamily {
  session = newSession()

  get ended(): boolean {
    return this.session.revokedAt !== undefined
  }

  login(): Answer {
    return { generation: 1, delivery: 1, answeredAt: START }
  }

  /** The answer to a refresh token, or the refusal; its request may have come earlier than it is looked at. */
  refresh(generation: number, now: number, cameAt = now): Answer | 'refused' {
    const presented = { generation, presentedAt: new Date(cameAt) }
    const verdict = useRefreshToken(this.session, presented, new Date(now))
    if (verdict.kind === 'ended' || verdict.kind === 'late') return 'refused'
    this.session = verdict.session
    if (verdict.kind === 'reused') return 'refused'
    const { generation: next, delivery } = verdict.session
    return { generation: next, delivery, answeredAt: now }
  }

  use(answer: Answer, now: number): 'served' | 'refused' {
    const verdict = useAccessToken(this.session, answer, new Date(now))
    if (verdict.kind === 'first-sight' || verdict.kind === 'reused') this.session = verdict.session
    return verdict.kind === 'served' || verdict.kind === 'first-sight' ? 'served' : 'refused'
  }
}
