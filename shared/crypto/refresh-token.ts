/**
 * The refresh token: opaque to callers, base64url of these bytes behind a prefix that secret scanners can find.
 *
 * | bytes | field                                                          |
 * |-------|----------------------------------------------------------------|
 * | 16    | user id                                                        |
 * | 16    | session id                                                     |
 * | 4     | generation, big-endian                                         |
 * | 32    | HMAC-SHA256 over all of it, keyed from `TOKEN_SECRET_FILE`     |
 *
 * So it can be derived again for a caller who lost it, an older generation is provably ours (SES-07), and
 * only its SHA-256 is stored (SES-02).
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Session } from '../domain/session.ts'
import { deriveKey, type TokenSecrets } from './token-secrets.ts'
import type { Watched } from './watched-file.ts'

const PREFIX = 'wmr_'
const ID_BYTES = 16
const CONTENT_BYTES = 2 * ID_BYTES + 4
const TOKEN_BYTES = CONTENT_BYTES + 32
const TOKEN_LENGTH = PREFIX.length + Math.ceil((TOKEN_BYTES * 4) / 3)

export type RefreshToken = {
  readonly userId: string
  readonly sessionId: string
  readonly generation: number
  /** SHA-256 of the whole text, base64url. */
  readonly hash: string
}
export type RefreshTokenPlace = Omit<RefreshToken, 'hash'>

function bytesOf(text: string): Buffer | undefined {
  if (text.length !== TOKEN_LENGTH || !text.startsWith(PREFIX)) return undefined
  const encoded = text.slice(PREFIX.length)
  const bytes = Buffer.from(encoded, 'base64url')
  return bytes.length === TOKEN_BYTES && bytes.toString('base64url') === encoded ? bytes : undefined
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/** The parts of a text that has a refresh token's form, authentic or not; needs no secret. */
export function splitRefreshToken(text: string): RefreshToken | undefined {
  const bytes = bytesOf(text)
  if (bytes === undefined) return undefined
  return {
    userId: bytes.subarray(0, ID_BYTES).toString('base64url'),
    sessionId: bytes.subarray(ID_BYTES, 2 * ID_BYTES).toString('base64url'),
    generation: bytes.readUInt32BE(2 * ID_BYTES),
    hash: hashOf(text),
  }
}

function idBytes(id: string): Buffer {
  const bytes = Buffer.from(id, 'base64url')
  if (bytes.length !== ID_BYTES) throw new RangeError('an id of a refresh token has 16 bytes')
  return bytes
}

function authenticate(secret: Buffer, content: Buffer): Buffer {
  return createHmac('sha256', deriveKey(secret, 'refresh token')).update(content).digest()
}

function derive(secret: Buffer, place: RefreshTokenPlace): string {
  const generation = Buffer.alloc(4)
  generation.writeUInt32BE(place.generation)
  const content = Buffer.concat([idBytes(place.userId), idBytes(place.sessionId), generation])
  const bytes = Buffer.concat([content, authenticate(secret, content)])
  return PREFIX + bytes.toString('base64url')
}

/** True where two base64url SHA-256 are equal; the time says nothing about where they differ. */
export function sameHash(a: string, b: string | undefined): boolean {
  if (b === undefined || a.length !== b.length) return false
  return timingSafeEqual(Buffer.from(a), Buffer.from(b))
}

/**
 * True where the session knows this token's hash in its place. The two youngest generations are checked
 * against what is stored, so that a second secret adds no second token; older ones by their HMAC alone.
 */
export function isKnown(token: RefreshToken, session: Session): boolean {
  if (token.userId !== session.userId) return false
  if (token.generation === session.generation) return sameHash(token.hash, session.currentHash)
  const isPrevious = token.generation === session.generation - 1
  return !isPrevious || sameHash(token.hash, session.previousHash)
}

export type RefreshTokens = {
  /** A new token and its hash, made with the first secret. */
  derive(place: RefreshTokenPlace): { readonly token: string; readonly hash: string }
  /** The token of that place that was handed out, made with whichever secret gives its hash; undefined where that secret is gone. */
  again(place: RefreshTokenPlace, hash: string): string | undefined
  /** The parts of a token that one of the secrets made; undefined for any other text. */
  verify(text: string): RefreshToken | undefined
}

export function openRefreshTokens(secrets: Watched<TokenSecrets>): RefreshTokens {
  return {
    derive: (place) => {
      const token = derive(secrets.current()[0], place)
      return { token, hash: hashOf(token) }
    },
    again: (place, hash) =>
      secrets
        .current()
        .map((secret) => derive(secret, place))
        .find((token) => sameHash(hashOf(token), hash)),
    verify: (text) => {
      const bytes = bytesOf(text)
      if (bytes === undefined) return undefined
      const content = bytes.subarray(0, CONTENT_BYTES)
      const seen = bytes.subarray(CONTENT_BYTES)
      const isOurs = (list: TokenSecrets) =>
        list.some((secret) => timingSafeEqual(authenticate(secret, content), seen))
      return isOurs(secrets.current()) || isOurs(secrets.changed())
        ? splitRefreshToken(text)
        : undefined
    },
  }
}
