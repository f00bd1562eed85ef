import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commonPasswords } from '../../shared/crypto/common-passwords.ts'
import { newPassword, normalisePassword } from '../../shared/domain/password.ts'
import { ProblemError } from '../../shared/domain/problem.ts'
import { foldUsername } from '../../shared/domain/username.ts'

const common = await commonPasswords()
const rules = { username: 'anna.karenina@example.org', minLength: 8, common }

function codeOf(text: string, minLength = 8): string {
  try {
    newPassword(text, { ...rules, minLength }, 'new_password')
  } catch (error) {
    if (error instanceof ProblemError) return error.code
    throw error
  }
  return 'accepted'
}

describe('a new password', () => {
  test.for([
    'anna.karenina@example.org',
    'Anna.Karenina1878',
    '!!anna.karenina!!',
    'wowmedia',
    'Wow-Media 2026',
    'password',
    'PASSWORD',
    'password1234567',
    'iloveyou2024!',
    'sunshine007',
    'passwordpassword',
    'abcabcabcabc',
    'zzzzzzzzzzzz',
    '12345678901234567890',
    '98765432109876',
    'abcdefghijklm',
    'monkey123456789',
  ])('like %s is too common', (password) => {
    expect(codeOf(password)).toBe('password_too_common')
  })

  test.for([
    'correct horse battery',
    'anna reads novels',
    'sunshine over 3 lakes',
    'wowmedia is where i keep photos',
    'Tr0ub4dor&3',
    'monkey8261937',
    '😀😃😄😁😆😅🤣😂',
    '        x',
    'пароль для ани',
  ])('like %s is accepted', (password) => {
    expect(codeOf(password)).toBe('accepted')
  })

  test.for([
    { password: 'x7#kQ2p', minLength: 8, code: 'invalid_request' },
    { password: 'x7#kQ2p!', minLength: 8, code: 'accepted' },
    { password: 'cafe\u0301 au', minLength: 8, code: 'invalid_request' },
    { password: 'quiet tortoise', minLength: 15, code: 'invalid_request' },
    { password: 'quiet tortoises', minLength: 15, code: 'accepted' },
    { password: 'ä'.repeat(256) + 'ö'.repeat(256), minLength: 8, code: 'accepted' },
    { password: `${'ä'.repeat(256) + 'ö'.repeat(256)}x`, minLength: 8, code: 'invalid_request' },
    { password: 'with \0 inside', minLength: 8, code: 'invalid_request' },
    { password: 'with \ud800 inside', minLength: 8, code: 'invalid_request' },
  ])(
    'of $password.length units, where $minLength characters are wanted: $code',
    ({ password, minLength, code }) => {
      expect(codeOf(password, minLength)).toBe(code)
    },
  )

  test('is refused by the name of its field, without a word of it', () => {
    const refused = () => newPassword('kleine', rules, 'new_password')

    expect(refused).toThrow(
      expect.objectContaining({
        errors: [{ field: 'new_password', message: 'must have at least 8 characters' }],
      }),
    )
  })

  test('is one of 3,000 common ones at least that satisfy the rule of length', async () => {
    const { dictionary } = await import('@zxcvbn-ts/language-common')
    const long = dictionary['passwords-common'].filter((password) => password.length >= 8)
    const some = long.filter((_, index) => index % 50 === 0)

    expect(long.length).toBeGreaterThan(3_000)
    expect(some.filter((password) => codeOf(password) !== 'password_too_common')).toEqual([])
  })
})

describe('a normalised password', () => {
  test('is the same however its accents are written, and normalising it again changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        fc.pre(!text.includes('\0'))
        const once = normalisePassword(text)
        expect(normalisePassword(text.normalize('NFD'))).toBe(once)
        expect(normalisePassword(once)).toBe(once)
      }),
    )
  })
})

/** Mostly what a name may have, and what folds to it. */
const letter = fc.constantFrom(...'abcxyzABCXYZ0189._+@-', 'Ａ', 'ｚ', 'ﬁ', '①', 'K', 'İ', 'ß', 'é')

describe('a folded name', () => {
  test('is ASCII, 3 to 64 characters, and folds to itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: letter, minLength: 2, maxLength: 66 }), (text) => {
        const name = foldUsername(text)
        if (name === undefined) return
        expect(name).toMatch(/^[a-z0-9][a-z0-9._+@-]{2,63}$/)
        expect(foldUsername(name)).toBe(name)
        expect(foldUsername(text.toUpperCase())).toBe(name)
      }),
    )
  })

  test.for([
    { written: 'Anna@Example.ORG', name: 'anna@example.org' },
    { written: 'ＫＡＲＴＩＫ', name: 'kartik' },
    { written: '①②③', name: '123' },
    { written: 'ﬁlm.roll', name: 'film.roll' },
    { written: 'K2R', name: 'k2r' },
    { written: '-anna', name: undefined },
    { written: 'an', name: undefined },
    { written: 'ann\n', name: undefined },
    { written: 'straße', name: undefined },
    { written: 'İstanbul', name: undefined },
  ])('of $written is $name', ({ written, name }) => {
    expect(foldUsername(written)).toBe(name)
  })
})
