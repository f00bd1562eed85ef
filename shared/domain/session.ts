/**
 * A session is one signed-in device: the family of tokens that began with one password (contract 5).
 * What a presented token means is decided in `token-use.ts`.
 */

/** The place of a pair of tokens in its session: which refresh made it, and which hand-out of that refresh. */
export type HandOut = { readonly generation: number; readonly delivery: number }

export type Session = HandOut & {
  /** 128 random bits, base64url. */
  readonly id: string
  readonly userId: string
  /** The user's epoch at the login; the session ends when the user's moves on. */
  readonly sessionEpoch: number
  /** When the password was given. */
  readonly authTime: Date
  /** SHA-256 of the refresh token of `generation`, base64url. */
  readonly currentHash: string
  /** That of the generation before; undefined in the first. */
  readonly previousHash: string | undefined
  /** The highest generation of which a token was seen. */
  readonly confirmedGeneration: number
  /** Last rotation, or last hand-out that was made while it was unconfirmed. */
  readonly handedOutAt: Date
  /** Hand-outs that a later one of the same generation replaced, of the last 16 minutes. */
  readonly superseded: readonly (HandOut & { readonly replacedAt: Date })[]
  /** Sliding window log of refreshes, 8 bytes each. */
  readonly refreshHits: Uint8Array
  readonly createdAt: Date
  /** To the hour. */
  readonly lastUsedAt: Date
  readonly idleExpiresAt: Date
  readonly expiresAt: Date
  readonly revokedAt: Date | undefined
  readonly revokeReason: RevokeReason | undefined
  /** What its owner called the device. */
  readonly name: string
  /** IPv4 /24 or IPv6 /48 of the last noted use. */
  readonly network: string
}

/** `over`: it had ended by itself, of age or with the user's epoch, and a login noticed. */
export const REVOKE_REASONS = [
  'logout',
  'revoked',
  'refresh_reuse',
  'too_many_sessions',
  'over',
] as const
export type RevokeReason = (typeof REVOKE_REASONS)[number]

export type Lifetimes = {
  readonly REFRESH_TOKEN_IDLE_DAYS: number
  readonly REFRESH_TOKEN_MAX_DAYS: number
}

/** Live sessions of one user; the next login ends the least recently used one (SES-01). */
export const MAX_SESSIONS = 20

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export function later(time: Date, milliseconds: number): Date {
  return new Date(time.getTime() + milliseconds)
}

export type NewSession = Pick<
  Session,
  'id' | 'userId' | 'sessionEpoch' | 'currentHash' | 'name' | 'network'
>

/** The session that a correct password opens: first generation, nothing of it seen yet. */
export function openSession(given: NewSession, lifetimes: Lifetimes, now: Date): Session {
  const expiresAt = later(now, lifetimes.REFRESH_TOKEN_MAX_DAYS * DAY_MS)
  return {
    ...given,
    authTime: now,
    generation: 1,
    delivery: 1,
    previousHash: undefined,
    confirmedGeneration: 0,
    handedOutAt: now,
    superseded: [],
    refreshHits: new Uint8Array(),
    createdAt: now,
    lastUsedAt: now,
    idleExpiresAt: idleEnd(expiresAt, lifetimes, now),
    expiresAt,
    revokedAt: undefined,
    revokeReason: undefined,
  }
}

function idleEnd(expiresAt: Date, lifetimes: Lifetimes, now: Date): Date {
  const idle = later(now, lifetimes.REFRESH_TOKEN_IDLE_DAYS * DAY_MS)
  return idle < expiresAt ? idle : expiresAt
}

/** The session after a refresh: the idle time begins anew, the absolute one never does (SES-03). */
export function prolong(
  session: Session,
  lifetimes: Lifetimes,
  network: string,
  now: Date,
): Session {
  const used = noteUse(session, network, now)
  return { ...used, idleExpiresAt: idleEnd(session.expiresAt, lifetimes, now) }
}

/** Last use and network, noted at most once an hour. */
export function noteUse(session: Session, network: string, now: Date): Session {
  const stale = now.getTime() - session.lastUsedAt.getTime() >= HOUR_MS
  return stale ? { ...session, lastUsedAt: now, network } : session
}

export function endSession(session: Session, reason: RevokeReason, now: Date): Session {
  return { ...session, revokedAt: now, revokeReason: reason }
}

/** What tells whether a session is alive, without its tokens. */
export type SessionLife = Pick<
  Session,
  'id' | 'sessionEpoch' | 'revokedAt' | 'idleExpiresAt' | 'expiresAt'
>

/** Neither revoked nor past one of its two ends. */
export function isLive(session: SessionLife, now: Date): boolean {
  return session.revokedAt === undefined && now < session.idleExpiresAt && now < session.expiresAt
}

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\s]+/gu
const DIRECTION = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** The device's name as it is shown: NFC, no control or direction characters, at most 64 characters. */
export function deviceName(given: string | undefined): string {
  const plain = (given ?? '').toWellFormed().normalize('NFC')
  const oneLine = plain.replace(DIRECTION, '').replace(CONTROL, ' ').trim()
  return [...oneLine].slice(0, 64).join('').trim() || 'Unnamed device'
}
