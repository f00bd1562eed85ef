import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keyedHash } from '../../shared/crypto/keyed-hash.ts'
import { openRefreshTokens, splitRefreshToken } from '../../shared/crypto/refresh-token.ts'
import type { TokenSecrets } from '../../shared/crypto/token-secrets.ts'

const old = randomBytes(32)
const young = randomBytes(32)
const place = {
  userId: randomBytes(16).toString('base64url'),
  sessionId: randomBytes(16).toString('base64url'),
  generation: 7,
}

function tokensWith(...secrets: TokenSecrets) {
  return openRefreshTokens({ current: () => secrets, changed: () => secrets })
}

test('the same place and secret give the same token, whose parts can be read', () => {
  const { token, hash } = tokensWith(old).derive(place)

  expect(tokensWith(old).derive(place).token).toBe(token)
  expect(tokensWith(old).verify(token)).toEqual({ ...place, hash })
  expect(splitRefreshToken(token)).toEqual({ ...place, hash })
  expect(token).toMatch(/^wmr_[A-Za-z0-9_-]{91}$/)
})

test('tokens of an older secret are accepted, and made again, as long as its line is there', () => {
  const { token, hash } = tokensWith(old).derive(place)
  const rotated = tokensWith(young, old)

  expect(rotated.verify(token)).toEqual({ ...place, hash })
  expect(rotated.again(place, hash)).toBe(token)
  expect(rotated.derive(place).token).not.toBe(token)
  expect(tokensWith(young).verify(token)).toBeUndefined()
  expect(tokensWith(young).again(place, hash)).toBeUndefined()
})

test('any changed character is found', () => {
  const { token } = tokensWith(old).derive(place)
  const tokens = tokensWith(old)

  fc.assert(
    fc.property(
      fc.nat({ max: token.length - 1 }),
      fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=. '),
      (at, character) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1)
        expect(tokens.verify(changed) !== undefined).toBe(changed === token)
      },
    ),
  )
})

test('the last character has one spelling, although not all of its bits are used', () => {
  const { token } = tokensWith(old).derive(place)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

  const accepted = [...alphabet]
    .map((character) => token.slice(0, -1) + character)
    .filter((changed) => tokensWith(old).verify(changed) !== undefined)

  expect(accepted).toEqual([token])
})

test('any other text has not the form of one', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      expect(splitRefreshToken(text)).toBeUndefined()
    }),
  )
})

test('a keyed hash is told from another label’s and from another secret’s, and names a document', () => {
  const hashWith = (secret: Buffer, label: string) =>
    keyedHash({ current: () => [secret], changed: () => [secret] }, label)('192.0.2.1')
  const hashes = [hashWith(old, 'address'), hashWith(old, 'network'), hashWith(young, 'address')]

  expect(new Set(hashes).size).toBe(3)
  expect(hashWith(old, 'address')).toBe(hashes[0])
  for (const hash of hashes) expect(hash).toMatch(/^[A-Za-z0-9_-]{43}$/)
})
