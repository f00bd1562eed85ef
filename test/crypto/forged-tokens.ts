/** Access tokens that nobody but an attacker, or a careless programmer, would make: all must be refused. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { newSession } from '../domain/token-family.ts'
import type { KeyFiles } from './key-files.ts'

export const NOW = new Date('2026-03-01T12:00:00Z')
const NOW_SECONDS = NOW.getTime() / 1000

type Members = Readonly<Record<string, unknown>>

export type Forge = {
  readonly header: Members
  readonly claims: Members
  /** A token over these texts, signed with the real key. */
  sign(header: string, payload: string | Buffer): string
  /** The same over objects, changed as given. */
  make(header?: Members, claims?: Members): string
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64url')

export function openForge(files: KeyFiles, privateKey: KeyObject, publicKey: KeyObject): Forge {
  const session = newSession()
  const header = { alg: 'ES256', typ: 'at+jwt', kid: files.publicJwk.kid }
  const claims = {
    iss: files.config.TOKEN_ISSUER,
    aud: files.config.TOKEN_AUDIENCE,
    sub: 'KmQCO1Bl2UvSRYcwBxtIfA',
    exp: NOW_SECONDS + 600,
    iat: NOW_SECONDS,
    jti: 'KmQCO1Bl2UvSRYcwBxtIfA',
    sid: session.id,
    client_id: 'wowmedia',
    auth_time: NOW_SECONDS - 60,
    gen: 1,
    dlv: 1,
  }
  const signed = (head: string, payload: string | Buffer) => {
    const input = `${base64(head)}.${base64(payload)}`
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
    return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
  }
  return {
    header,
    claims,
    publicKey,
    privateKey,
    sign: signed,
    make: (head = {}, changed = {}) =>
      signed(JSON.stringify({ ...header, ...head }), JSON.stringify({ ...claims, ...changed })),
  }
}

export type Forgery = { readonly defect: string; readonly token: (forge: Forge) => string }

function unsigned(forge: Forge, alg: string, signature = ''): string {
  const head = base64(JSON.stringify({ ...forge.header, alg }))
  return `${head}.${base64(JSON.stringify(forge.claims))}.${signature}`
}

function keyedWith(forge: Forge, secret: string | Buffer): string {
  const input = unsigned(forge, 'HS256').slice(0, -1)
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

function signedBy(forge: Forge, key: KeyObject, alg: string): string {
  const input = unsigned(forge, alg).slice(0, -1)
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
}

const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

/** TOK-01: algorithm and key. */
export const WRONG_ALGORITHM: readonly Forgery[] = [
  ...['none', 'None', 'NONE', 'nOnE'].map((alg) => ({
    defect: `alg ${alg} without a signature`,
    token: (forge: Forge) => unsigned(forge, alg),
  })),
  { defect: 'alg none with a signature', token: (forge) => unsigned(forge, 'none', 'AAAA') },
  { defect: 'ES256 without a signature', token: (forge) => unsigned(forge, 'ES256') },
  {
    defect: 'HS256 keyed with the public key as PEM',
    token: (forge) =>
      keyedWith(forge, forge.publicKey.export({ format: 'pem', type: 'spki' }).toString()),
  },
  {
    defect: 'HS256 keyed with the public key as DER',
    token: (forge) => keyedWith(forge, forge.publicKey.export({ format: 'der', type: 'spki' })),
  },
  {
    defect: 'HS256 keyed with the public key as JWK',
    token: (forge) => keyedWith(forge, JSON.stringify(forge.publicKey.export({ format: 'jwk' }))),
  },
  { defect: 'RS256', token: (forge) => signedBy(forge, rsa, 'RS256') },
  { defect: 'PS256', token: (forge) => signedBy(forge, rsa, 'PS256') },
  { defect: 'ES384 with the kid of a P-256 key', token: (forge) => forge.make({ alg: 'ES384' }) },
  { defect: 'alg EdDSA', token: (forge) => forge.make({ alg: 'EdDSA' }) },
  { defect: 'no alg', token: (forge) => forge.make({ alg: undefined }) },
  { defect: 'ES256 by another key', token: (forge) => signedBy(forge, p256(), 'ES256') },
  {
    defect: 'ES256 with the signature in DER',
    token: (forge) => signedBy(forge, forge.privateKey, 'ES256'),
  },
  {
    defect: 'ES256 with a signature of zeros',
    token: (forge) => unsigned(forge, 'ES256', Buffer.alloc(64).toString('base64url')),
  },
  {
    defect: 'ES256 with a changed payload',
    token: (forge) => {
      const [head, , signature] = forge.make().split('.')
      return [head, base64(JSON.stringify({ ...forge.claims, sub: 'admin' })), signature].join('.')
    },
  },
]

const EXTRA_MEMBERS: Members = {
  jku: 'http://127.0.0.1:9/jwks.json',
  jwk: { kty: 'EC', crv: 'P-256', x: 'a', y: 'b' },
  x5u: 'http://127.0.0.1:9/cert.pem',
  x5c: ['MIIB'],
  crit: ['b64'],
  b64: true,
  zip: 'DEF',
  cty: 'JWT',
}

/** TOK-02: more in the header than `alg`, `typ` and `kid`. */
export const EXTRA_HEADER: readonly Forgery[] = Object.entries(EXTRA_MEMBERS).map(
  ([name, value]) => ({
    defect: `header ${name}`,
    token: (forge) => forge.make({ [name]: value, ...(name === 'crit' ? { b64: true } : {}) }),
  }),
)

/** TOK-03: type and key id. */
export const WRONG_HEADER: readonly Forgery[] = [
  ...[undefined, 'JWT', 'rt+jwt', 'at+jwt ', 'application/jwt', 'x/at+jwt', 1, ''].map((typ) => ({
    defect: `typ ${JSON.stringify(typ)}`,
    token: (forge: Forge) => forge.make({ typ }),
  })),
  ...[undefined, '', 'unknown', '../../x', 'a'.repeat(65), 'a'.repeat(1_000_000), 7, ['k']].map(
    (kid) => ({
      defect: `kid ${JSON.stringify(kid)?.slice(0, 24)} of ${String(kid).length}`,
      token: (forge: Forge) => forge.make({ kid }),
    }),
  ),
]

const WRONG_VALUES: Readonly<Record<string, readonly unknown[]>> = {
  iss: [undefined, 'https://wowmedia.localhost/', 'https://elsewhere.example', 7],
  aud: [undefined, 'other', ['wowmedia'], ['wowmedia', 'other'], 'WOWMEDIA'],
  sub: [undefined, '', { id: 'x' }, 7, '../x', 'a/b', 'a'.repeat(65)],
  client_id: [undefined, 'other', 7],
  sid: [undefined, '', 'a/b', ['x']],
  jti: [undefined, 'short', 7],
  gen: [undefined, '1', 1.5, -1, null],
  dlv: [undefined, '1', 0.1],
  auth_time: [undefined, '2026', 1.5],
  iat: [undefined, '0', NOW_SECONDS + 0.5],
  exp: [undefined, String(NOW_SECONDS + 600), NOW_SECONDS + 599.5, true],
}

/** TOK-04: a claim that is missing or of another form. */
export const WRONG_CLAIMS: readonly Forgery[] = [
  ...Object.entries(WRONG_VALUES).flatMap(([name, values]) =>
    values.map((value) => ({
      defect: `${name} ${JSON.stringify(value)?.slice(0, 40)}`,
      token: (forge: Forge) => forge.make({}, { [name]: value }),
    })),
  ),
  {
    defect: 'exp 1e300',
    token: (forge) =>
      forge.sign(
        JSON.stringify(forge.header),
        JSON.stringify({ ...forge.claims, exp: 7 }).replace('"exp":7', '"exp":1e300'),
      ),
  },
]

/** TOK-05: a lifetime over 15 minutes. */
export const TOO_LONG: readonly Forgery[] = [
  {
    defect: 'exp 901 s after iat',
    token: (forge) => forge.make({}, { exp: NOW_SECONDS + 901 }),
  },
  {
    defect: 'exp ten years ahead',
    token: (forge) => forge.make({}, { exp: NOW_SECONDS + 315_360_000 }),
  },
  {
    defect: 'iat so old that the token must have ended',
    token: (forge) => forge.make({}, { iat: NOW_SECONDS - 961, exp: NOW_SECONDS + 60 }),
  },
  { defect: 'exp before iat', token: (forge) => forge.make({}, { exp: NOW_SECONDS - 1 }) },
]

function part(token: string, index: number, change: (text: string) => string): string {
  return token
    .split('.')
    .map((text, at) => (at === index ? change(text) : text))
    .join('.')
}

/** Another last character for the same bytes: 64 bytes end in 2 bits, 4 of the last character count for nothing. */
function otherLast(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return text.slice(0, -1) + (alphabet[alphabet.indexOf(text.slice(-1)) + 1] ?? 'B')
}

const inJson = (forge: Forge, change: (payload: string) => string) =>
  forge.sign(JSON.stringify(forge.header), change(JSON.stringify(forge.claims)))

/** TOK-07: the same token in another spelling. */
export const NOT_CANONICAL: readonly Forgery[] = [
  { defect: 'padding', token: (forge) => `${forge.make()}==` },
  { defect: 'a trailing newline', token: (forge) => `${forge.make()}\n` },
  { defect: 'a leading space', token: (forge) => ` ${forge.make()}` },
  { defect: 'a fourth part', token: (forge) => `${forge.make()}.x` },
  { defect: 'two parts', token: (forge) => forge.make().split('.').slice(0, 2).join('.') },
  { defect: 'an empty part', token: (forge) => part(forge.make(), 1, () => '') },
  { defect: 'another last character', token: (forge) => part(forge.make(), 2, otherLast) },
  {
    defect: 'the alphabet of base64',
    token: (forge) => part(forge.make(), 2, () => '+/'.repeat(43)),
  },
  { defect: 'over 2,048 bytes', token: (forge) => forge.make({}, { note: 'x'.repeat(1_500) }) },
  { defect: '2 MB', token: (forge) => forge.make({}, { note: 'x'.repeat(2_000_000) }) },
  {
    defect: 'a header member twice',
    token: (forge) =>
      forge.sign(
        JSON.stringify(forge.header).replace('{', '{"alg":"none",'),
        JSON.stringify(forge.claims),
      ),
  },
  {
    defect: 'a claim twice',
    token: (forge) => inJson(forge, (json) => json.replace('{', '{"sub":"somebody-else",')),
  },
  {
    defect: 'a claim twice, once escaped',
    token: (forge) => inJson(forge, (json) => json.replace('{', '{"s\\u0075b":"somebody-else",')),
  },
  {
    defect: 'a member twice within an object',
    token: (forge) => inJson(forge, (json) => json.replace('{', '{"act":{"a":1,"a":2},')),
  },
  { defect: 'NUL in a string', token: (forge) => forge.make({}, { note: 'a\0b' }) },
  { defect: 'a control character', token: (forge) => forge.make({}, { note: 'a\u0007b' }) },
  { defect: 'white space in JSON', token: (forge) => inJson(forge, (json) => `${json} `) },
  {
    defect: 'invalid UTF-8',
    token: (forge) => {
      const payload = Buffer.from(JSON.stringify({ ...forge.claims, note: 'X' }))
      payload[payload.lastIndexOf('X')] = 0xff
      return forge.sign(JSON.stringify(forge.header), payload)
    },
  },
  { defect: 'a payload that is no object', token: (forge) => inJson(forge, () => '[1]') },
  { defect: 'a payload that is no JSON', token: (forge) => inJson(forge, () => 'claims') },
]
