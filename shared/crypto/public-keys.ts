/**
 * The public keys that verify access tokens: P-256, ES256, `kid` the RFC 7638 thumbprint (KEY-02, KEY-06).
 * No message here holds a byte of a file.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { StartError } from '../domain/start-error.ts'
import { type Watch, type Watched, watchFile } from './watched-file.ts'

/** A public key as `/.well-known/jwks.json` shows it; no other member ever is. */
export type PublicJwk = {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  readonly alg: 'ES256'
  readonly use: 'sig'
  readonly kid: string
}
export type PublicKeys = {
  readonly jwks: readonly PublicJwk[]
  readonly byId: ReadonlyMap<string, KeyObject>
}

/** 32 bytes. */
export const COORDINATE = /^[A-Za-z0-9_-]{43}$/
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

type Fields = { readonly [member: string]: unknown }

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value, or undefined: the error is dropped, since a parser's message quotes the text, which may be a private key. */
function attempt<T>(load: () => T): T | undefined {
  try {
    return load()
  } catch {
    return undefined
  }
}

/** A JSON object. Throws StartError with the refusal. */
export function parseObject(content: string, refusal: string): Fields {
  const parsed = attempt((): unknown => JSON.parse(content))
  if (!isRecord(parsed)) throw new StartError(refusal)
  return parsed
}

/** RFC 7638 thumbprint of a P-256 key. */
export function thumbprint(x: string, y: string): string {
  const canonical = JSON.stringify({ crv: 'P-256', kty: 'EC', x, y })
  return createHash('sha256').update(canonical).digest('base64url')
}

/** The public members of a key of ours. Throws StartError with the refusal. */
export function publicJwk(value: unknown, refusal: string): PublicJwk {
  if (!isRecord(value)) throw new StartError(refusal)
  const { kty, crv, x, y, alg, kid } = value
  const isOnCurve = kty === 'EC' && crv === 'P-256' && alg === 'ES256'
  if (!isOnCurve || typeof x !== 'string' || typeof y !== 'string') throw new StartError(refusal)
  if (!COORDINATE.test(x) || !COORDINATE.test(y) || kid !== thumbprint(x, y)) {
    throw new StartError(refusal)
  }
  return { kty, crv, x, y, alg, use: 'sig', kid }
}

/** The key, or StartError with the refusal. */
export function importKey(load: () => KeyObject, refusal: string): KeyObject {
  const key = attempt(load)
  if (key === undefined) throw new StartError(refusal)
  return key
}

const JWKS_FORM =
  'JWKS_FILE must hold a JWK Set of public P-256 keys with alg ES256, kid their thumbprint, each once'

/** The public keys of a JWK Set. Throws StartError: none, a private member, another kind of key, a kid twice. */
export function parsePublicKeys(content: string): PublicKeys {
  const { keys } = parseObject(content, JWKS_FORM)
  if (!Array.isArray(keys) || keys.length === 0) throw new StartError(JWKS_FORM)
  const jwks = keys.map((key: unknown) => {
    if (isRecord(key) && PRIVATE_MEMBERS.some((member) => member in key)) {
      throw new StartError('JWKS_FILE must not hold a private key')
    }
    return publicJwk(key, JWKS_FORM)
  })
  const load = (jwk: PublicJwk) =>
    importKey(() => createPublicKey({ key: { ...jwk }, format: 'jwk' }), JWKS_FORM)
  const byId = new Map(jwks.map((jwk) => [jwk.kid, load(jwk)]))
  if (byId.size !== jwks.length) throw new StartError(JWKS_FORM)
  return { jwks, byId }
}

export type JwksFile = { readonly JWKS_FILE: string; readonly K_SERVICE: string }

/** The public keys, read now and again later (5 s locally, 5 minutes deployed). Throws StartError. */
export function openPublicKeys(config: JwksFile): Watched<PublicKeys> {
  return watchFile(jwksWatch(config), parsePublicKeys)
}

export function jwksWatch(config: JwksFile): Watch {
  const deployed = config.K_SERVICE !== ''
  return { variable: 'JWKS_FILE', path: config.JWKS_FILE, secret: false, deployed }
}
