/**
 * The key that signs access tokens and the public set that verifies them: P-256, ES256, `kid` the
 * RFC 7638 thumbprint (KEY-02, KEY-05, KEY-06). No message here holds a byte of a key.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { StartError } from '../domain/start-error.ts'
import { readOnce, type Watched, watchFile } from './watched-file.ts'

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
/** `origin` tells keys that a local run made for itself: they are refused where `K_SERVICE` is set. */
export type PrivateJwk = PublicJwk & { readonly d: string; readonly origin?: 'local' }

export type PublicKeys = {
  readonly jwks: readonly PublicJwk[]
  readonly byId: ReadonlyMap<string, KeyObject>
}
export type SigningKey = {
  readonly kid: string
  readonly key: KeyObject
  readonly isLocal: boolean
}

const COORDINATE = /^[A-Za-z0-9_-]{43}$/
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

function parseObject(content: string, refusal: string): Fields {
  const parsed = attempt((): unknown => JSON.parse(content))
  if (!isRecord(parsed)) throw new StartError(refusal)
  return parsed
}

/** RFC 7638 thumbprint of a P-256 key. */
function thumbprint(x: string, y: string): string {
  const canonical = JSON.stringify({ crv: 'P-256', kty: 'EC', x, y })
  return createHash('sha256').update(canonical).digest('base64url')
}

function publicJwk(value: unknown, refusal: string): PublicJwk {
  if (!isRecord(value)) throw new StartError(refusal)
  const { kty, crv, x, y, alg, kid } = value
  const isOnCurve = kty === 'EC' && crv === 'P-256' && alg === 'ES256'
  if (!isOnCurve || typeof x !== 'string' || typeof y !== 'string') throw new StartError(refusal)
  if (!COORDINATE.test(x) || !COORDINATE.test(y) || kid !== thumbprint(x, y)) {
    throw new StartError(refusal)
  }
  return { kty, crv, x, y, alg, use: 'sig', kid }
}

function importKey(load: () => KeyObject, refusal: string): KeyObject {
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

const SIGNING_FORM =
  'SIGNING_KEY_FILE must hold one private JWK: P-256, alg ES256, kid its thumbprint'

export function parseSigningKey(content: string): SigningKey {
  const jwk = parseObject(content, SIGNING_FORM)
  const shown = publicJwk(jwk, SIGNING_FORM)
  const { d, origin } = jwk
  if (typeof d !== 'string' || !COORDINATE.test(d)) throw new StartError(SIGNING_FORM)
  const key = importKey(
    () => createPrivateKey({ key: { ...shown, d }, format: 'jwk' }),
    SIGNING_FORM,
  )
  return { kid: shown.kid, key, isLocal: origin === 'local' }
}

export type JwksFile = { readonly JWKS_FILE: string; readonly K_SERVICE: string }
export type SigningFiles = JwksFile & { readonly SIGNING_KEY_FILE: string }

/** The public keys, read now and again later (5 s locally, 5 minutes deployed). Throws StartError. */
export function openPublicKeys(config: JwksFile): Watched<PublicKeys> {
  return watchFile(jwksWatch(config), parsePublicKeys)
}

function jwksWatch(config: JwksFile) {
  const deployed = config.K_SERVICE !== ''
  return { variable: 'JWKS_FILE', path: config.JWKS_FILE, secret: false, deployed }
}

/**
 * The signing key, which the public set must hold; a self-test signs and verifies (KEY-06). Read again
 * later, too: a key that its set does not hold yet is not taken up. Throws StartError.
 */
export function openSigningKey(config: SigningFiles): Watched<SigningKey> {
  const deployed = config.K_SERVICE !== ''
  const watch = {
    variable: 'SIGNING_KEY_FILE',
    path: config.SIGNING_KEY_FILE,
    secret: true,
    deployed,
  }
  return watchFile(watch, (content) => {
    const signing = parseSigningKey(content)
    if (signing.isLocal && deployed) {
      throw new StartError(
        'SIGNING_KEY_FILE must not name a key of a local run where K_SERVICE is set',
      )
    }
    const shown = readOnce(jwksWatch(config), parsePublicKeys).byId.get(signing.kid)
    if (shown === undefined) throw new StartError('JWKS_FILE must hold the key of SIGNING_KEY_FILE')
    selfTest(signing.key, shown)
    return signing
  })
}

function selfTest(privateKey: KeyObject, publicKey: KeyObject): void {
  const probe = Buffer.from('wowmedia')
  if (!verify('sha256', probe, publicKey, sign('sha256', probe, privateKey))) {
    throw new StartError('SIGNING_KEY_FILE must hold the private key of its entry in JWKS_FILE')
  }
}

/** A new key; `privateJwk` is what `SIGNING_KEY_FILE` holds, `publicJwk` its entry in `JWKS_FILE`. */
export function generateSigningKey(): {
  readonly privateJwk: PrivateJwk
  readonly publicJwk: PublicJwk
} {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' })
  const shown = {
    kty: 'EC',
    crv: 'P-256',
    x,
    y,
    alg: 'ES256',
    use: 'sig',
    kid: thumbprint(x, y),
  } as const
  return { privateJwk: { ...shown, d }, publicJwk: shown }
}
