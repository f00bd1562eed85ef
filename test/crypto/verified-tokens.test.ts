import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { VerifiedTokens } from '../../shared/crypto/verified-tokens.ts'

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
const key = newKey()
const sameAgain = createPublicKey(key.export({ type: 'spki', format: 'pem' }))
const ISSUED = new Date('2026-01-01T00:00:00Z')
const EXPIRES = new Date('2026-01-01T00:10:00Z')
const claims = {
  userId: 'user',
  sessionId: 'session',
  tokenId: 'token',
  generation: 1,
  delivery: 1,
  authTime: ISSUED,
  issuedAt: ISSUED,
  expiresAt: EXPIRES,
}
const at = (milliseconds: number) => new Date(ISSUED.getTime() + milliseconds)
const keysOf = (one: KeyObject) => new Map([['kid', one]])

function knowing(token = 'token'): VerifiedTokens {
  const tokens = new VerifiedTokens()
  tokens.add(token, { keyId: 'kid', key, claims })
  return tokens
}

describe('a token that was verified before', () => {
  test('has its claims within its own times', () => {
    const tokens = knowing()

    expect(tokens.find('token', keysOf(key), ISSUED)).toBe(claims)
    expect(tokens.find('token', keysOf(key), new Date(EXPIRES.getTime() - 1))).toBe(claims)
  })

  test.each([
    { what: 'at its expiry', token: 'token', keys: keysOf(key), now: EXPIRES },
    { what: 'before it was made', token: 'token', keys: keysOf(key), now: at(-1) },
    { what: 'in another spelling', token: 'token=', keys: keysOf(key), now: at(1) },
    { what: 'once its key is gone', token: 'token', keys: new Map(), now: at(1) },
    { what: 'once its key was read again', token: 'token', keys: keysOf(sameAgain), now: at(1) },
    {
      what: 'once its key id is another key’s',
      token: 'token',
      keys: keysOf(newKey()),
      now: at(1),
    },
  ])('is verified anew $what', ({ token, keys, now }) => {
    expect(knowing().find(token, keys, now)).toBeUndefined()
  })

  test('is forgotten behind a thousand others', () => {
    const tokens = knowing('first')
    for (let n = 0; n < 999; n += 1) tokens.add(`t${n}`, { keyId: 'kid', key, claims })
    expect(tokens.find('first', keysOf(key), ISSUED)).toBe(claims)

    tokens.add('one more', { keyId: 'kid', key, claims })

    expect(tokens.find('first', keysOf(key), ISSUED)).toBeUndefined()
    expect(tokens.find('t0', keysOf(key), ISSUED)).toBe(claims)
  })
})
