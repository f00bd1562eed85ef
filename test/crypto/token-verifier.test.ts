import { createPrivateKey, createPublicKey } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { openTokenSigner } from '../../shared/crypto/token-signer.ts'
import { openTokenVerifier } from '../../shared/crypto/token-verifier.ts'
import { newSession } from '../domain/token-family.ts'
import {
  EXTRA_HEADER,
  type Forgery,
  NOT_CANONICAL,
  NOW,
  openForge,
  TOO_LONG,
  WRONG_ALGORITHM,
  WRONG_CLAIMS,
  WRONG_HEADER,
} from './forged-tokens.ts'
import { makeKeyFiles } from './key-files.ts'

const files = makeKeyFiles()
afterAll(() => files.remove())
const privateKey = createPrivateKey({ key: { ...files.privateJwk }, format: 'jwk' })
const publicKey = createPublicKey({ key: { ...files.publicJwk }, format: 'jwk' })
const forge = openForge(files, privateKey, publicKey)
const verifier = openTokenVerifier(files.config)

async function codeFor(token: string, now = NOW): Promise<unknown> {
  return await verifier.verify(token, now).then(
    () => 'accepted',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  )
}

async function accepted(forgeries: readonly Forgery[]): Promise<readonly string[]> {
  const codes = await Promise.all(forgeries.map(({ token }) => codeFor(token(forge))))
  return forgeries.flatMap(({ defect }, index) =>
    codes[index] === 'token_invalid' ? [] : [`${defect}: ${String(codes[index])}`],
  )
}

describe('the forge', () => {
  test('makes a token that is accepted, so that each forgery has one defect', async () => {
    const claims = await verifier.verify(forge.make(), NOW)

    expect(claims).toMatchObject({ userId: 'KmQCO1Bl2UvSRYcwBxtIfA', generation: 1, delivery: 1 })
  })

  test('has at least 40 forgeries', () => {
    const all = [WRONG_ALGORITHM, EXTRA_HEADER, WRONG_HEADER, WRONG_CLAIMS, TOO_LONG, NOT_CANONICAL]

    expect(all.flat().length).toBeGreaterThanOrEqual(40)
    expect(new Set(all.flat().map(({ defect }) => defect)).size).toBe(all.flat().length)
  })
})

describe('an access token', () => {
  test('TOK-01 of another algorithm or key is refused', async () => {
    expect(await accepted(WRONG_ALGORITHM)).toEqual([])
  })

  test('TOK-02 with any header member besides alg, typ and kid is refused', async () => {
    expect(await accepted(EXTRA_HEADER)).toEqual([])
  })

  test('TOK-03 of another type or without a known key id is refused', async () => {
    expect(await accepted(WRONG_HEADER)).toEqual([])
    expect(await codeFor(forge.make({ typ: 'application/at+jwt' }))).toBe('accepted')
    expect(await codeFor(forge.make({ typ: 'AT+JWT' }))).toBe('accepted')
  })

  test('TOK-04 with a claim that is missing or of another form is refused', async () => {
    expect(await accepted(WRONG_CLAIMS)).toEqual([])
  })

  test('TOK-05 that lives for more than 15 minutes is refused', async () => {
    expect(await accepted(TOO_LONG)).toEqual([])
    expect(await codeFor(forge.make({}, { exp: NOW.getTime() / 1000 + 900 }))).toBe('accepted')
  })

  test('TOK-06 may be off by 60 s of clock, both ways', async () => {
    const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000)
    const token = forge.make()

    expect(await codeFor(token, at(600 + 59))).toBe('accepted')
    expect(await codeFor(token, at(600 + 62))).toBe('token_expired')
    expect(await codeFor(token, at(-59))).toBe('accepted')
    expect(await codeFor(token, at(-62))).toBe('token_invalid')
    const notBefore = forge.make({}, { nbf: NOW.getTime() / 1000 })
    expect(await codeFor(notBefore, at(-59))).toBe('accepted')
    expect(await codeFor(notBefore, at(-62))).toBe('token_invalid')
  })

  test('TOK-07 in any other spelling than the canonical one is refused', async () => {
    expect(await accepted(NOT_CANONICAL)).toEqual([])
  })

  test('comes from the signer with exactly the claims of the contract', async () => {
    const signer = openTokenSigner(files.config)
    const session = { ...newSession(NOW.getTime() - 60_000), generation: 3, delivery: 2 }
    const token = await signer.sign(session, NOW)
    const [header = '', payload = ''] = token
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString('utf8'))
    const { jti, ...claims } = Object.fromEntries(Object.entries(JSON.parse(payload)))

    expect(JSON.parse(header)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: files.publicJwk.kid })
    expect(jti).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(claims).toEqual({
      iss: 'https://wowmedia.localhost',
      aud: 'wowmedia',
      sub: 'user',
      sid: 'session',
      client_id: 'wowmedia',
      auth_time: NOW.getTime() / 1000 - 60,
      iat: NOW.getTime() / 1000,
      exp: NOW.getTime() / 1000 + 600,
      gen: 3,
      dlv: 2,
    })
    expect(await verifier.verify(token, NOW)).toMatchObject({ generation: 3, delivery: 2 })
  })
})
