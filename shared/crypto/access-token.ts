/**
 * The form of an access token, checked before and after its signature: what a JOSE library lets pass,
 * such as padding, members twice or `exp` of 1e300, is refused here (TOK-02 to TOK-07).
 */
import type { HandOut } from '../domain/session.ts'

export const CLIENT_ID = 'wowmedia'
export const TOKEN_TYPE = 'at+jwt'
/** Longest token, bytes. */
const MAX_BYTES = 2_048
/** Longest lifetime that is ever accepted, seconds. */
export const MAX_LIFETIME_SECONDS = 900
/** Difference of clocks that is allowed both ways, seconds. */
export const CLOCK_SKEW_SECONDS = 60

export type AccessTokenClaims = HandOut & {
  readonly userId: string
  readonly sessionId: string
  readonly tokenId: string
  readonly authTime: Date
  readonly issuedAt: Date
  readonly expiresAt: Date
}

type Fields = { readonly [member: string]: unknown }

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function utf8(part: string): string | undefined {
  const bytes = Buffer.from(part, 'base64url')
  const decoded = bytes.toString('utf8')
  const isCanonical = bytes.toString('base64url') === part
  return isCanonical && Buffer.from(decoded, 'utf8').equals(bytes) ? decoded : undefined
}

/**
 * A JSON object whose every value is a string, a whole number, true or false; undefined for any other.
 * Written out again it must be the same text: so no member stands twice, and no number or character has a
 * second spelling.
 */
function flatObject(text: string): Fields | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(parsed) || JSON.stringify(parsed) !== text) return undefined
  const plain = Object.values(parsed).every((value) => typeof value !== 'object')
  // JSON writes control characters with a backslash, and nothing of ours needs one.
  return plain && !text.includes('\\') ? parsed : undefined
}

/** The key id of a text that has an access token's form; undefined for any other. No signature is checked. */
export function keyIdOf(token: string): string | undefined {
  if (token.length > MAX_BYTES) return undefined
  const parts = token.split('.')
  if (parts.length !== 3 || !parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part))) return undefined
  const [header = '', payload = '', signature = ''] = parts
  if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) return undefined
  if (flatObject(utf8(payload) ?? '') === undefined) return undefined
  return keyIdOfHeader(flatObject(utf8(header) ?? '') ?? {})
}

function keyIdOfHeader(header: Fields): string | undefined {
  const { alg, typ, kid, ...others } = header
  const isOurs =
    alg === 'ES256' && typeof typ === 'string' && /^(application\/)?at\+jwt$/i.test(typ)
  if (!isOurs || Object.keys(others).length > 0) return undefined
  return typeof kid === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(kid) ? kid : undefined
}

const ID = /^[A-Za-z0-9_-]{1,64}$/
/** At least 128 bits. */
const TOKEN_ID = /^[A-Za-z0-9_-]{22,64}$/

function matching(value: unknown, form: RegExp): string | undefined {
  return typeof value === 'string' && form.test(value) ? value : undefined
}

function natural(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** 9999-12-31, the last second that a date can be written for. */
const LAST_SECOND = 253_402_300_799

function timeOf(value: unknown): Date | undefined {
  const seconds = natural(value)
  return seconds === undefined || seconds > LAST_SECOND ? undefined : new Date(seconds * 1000)
}

function present<T extends object>(
  claims: {
    readonly [K in keyof T]: T[K] | undefined
  },
): claims is T {
  return Object.values(claims).every((claim) => claim !== undefined)
}

/** The claims of a verified payload, each of its type and form; undefined where one is not (TOK-04, TOK-05). */
export function claimsOf(payload: Fields): AccessTokenClaims | undefined {
  if (payload['client_id'] !== CLIENT_ID || typeof payload['aud'] !== 'string') return undefined
  const claims = {
    userId: matching(payload['sub'], ID),
    sessionId: matching(payload['sid'], ID),
    tokenId: matching(payload['jti'], TOKEN_ID),
    generation: natural(payload['gen']),
    delivery: natural(payload['dlv']),
    authTime: timeOf(payload['auth_time']),
    issuedAt: timeOf(payload['iat']),
    expiresAt: timeOf(payload['exp']),
  }
  if (!present<AccessTokenClaims>(claims)) return undefined
  const lifetime = claims.expiresAt.getTime() - claims.issuedAt.getTime()
  return lifetime > 0 && lifetime <= MAX_LIFETIME_SECONDS * 1000 ? claims : undefined
}
