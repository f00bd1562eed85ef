/** What may be a password (contract 4, PW-01 to PW-03). Nothing here is logged, shown or stored. */
import { ProblemError } from './problem.ts'

/** Longest password after NFC, UTF-8 bytes. */
const MAX_PASSWORD_BYTES = 1_024

/** Words that everybody would try on this service. */
const SERVICE_WORDS = ['wowmedia', 'wow-media', 'wow media', 'wowmedia project', 'wowmedia-project']

/** The common passwords, all in NFC and lower case, whatever their length. */
export type CommonPasswords = { has(password: string): boolean }

/** A code point below the n-th of these takes n bytes. */
const UTF8_LIMITS = [0x80, 0x800, 0x10000, 0x110000]

function utf8Bytes(text: string): number {
  let bytes = 0
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    bytes += UTF8_LIMITS.findIndex((limit) => point < limit) + 1
  }
  return bytes
}

function refuse(field: string, message: string): never {
  throw new ProblemError('invalid_request', { errors: [{ field, message }] })
}

/**
 * The NFC form that is hashed, at login as at registration: no trim, no case change, no truncation (PW-02).
 * Throws `invalid_request` on NUL, unpaired surrogates (they would encode to U+FFFD and so verify as
 * equal to one another) and over 1,024 bytes.
 */
export function normalisePassword(text: string, field = 'password'): string {
  if (!text.isWellFormed()) refuse(field, 'must not have unpaired surrogates')
  if (text.includes('\0')) refuse(field, 'must not have NUL characters')
  const password = text.normalize('NFC')
  if (utf8Bytes(password) > MAX_PASSWORD_BYTES) {
    refuse(field, `must have at most ${MAX_PASSWORD_BYTES} bytes`)
  }
  return password
}

export type PasswordRules = {
  /** Folded name of the account. */
  readonly username: string
  /** Least number of code points after NFC (`PASSWORD_MIN_LENGTH`). */
  readonly minLength: number
  readonly common: CommonPasswords
}

/** The NFC form of a password that is to be set. Throws `invalid_request` or `password_too_common`. */
export function newPassword(text: string, rules: PasswordRules, field = 'password'): string {
  const password = normalisePassword(text, field)
  if ([...password].length < rules.minLength) {
    refuse(field, `must have at least ${rules.minLength} characters`)
  }
  if (isTooCommon(password, rules)) {
    throw new ProblemError('password_too_common', {
      detail: 'This password is among the first that others would try. Choose another one.',
    })
  }
  return password
}

function isTooCommon(password: string, rules: PasswordRules): boolean {
  const lower = password.toLowerCase().normalize('NFC')
  const [local = ''] = rules.username.split('@')
  const own = [rules.username, ...(local.length >= 3 ? [local] : []), ...SERVICE_WORDS]
  const core = lower.replace(/^[\d\s\p{P}\p{S}]+|[\d\s\p{P}\p{S}]+$/gu, '')
  const bare = own.map((word) => word.replace(/^[\d\s\p{P}\p{S}]+|[\d\s\p{P}\p{S}]+$/gu, ''))
  return (
    rules.common.has(lower) ||
    own.includes(lower) ||
    (core !== '' && bare.includes(core)) ||
    isRepetition(lower, rules.common) ||
    isSequence(lower) ||
    isCommonWordWithDigits(lower, rules.common)
  )
}

/** `abcabcabc`, `aaaaaaaa`, `passwordpassword`: a unit of up to 4 characters, or a common one, again and again. */
function isRepetition(text: string, common: CommonPasswords): boolean {
  const period = (text + text).indexOf(text, 1)
  return period < text.length && (period <= 4 || common.has(text.slice(0, period)))
}

/** `2345678901`, `zyxwvuts`: each character is the one after, or before, its left neighbour. */
function isSequence(text: string): boolean {
  const codes = [...text].map((character) => character.codePointAt(0) ?? 0)
  const steps = new Set(codes.slice(1).map((code, at) => (code - (codes[at] ?? 0) + 10) % 10))
  const digits = /^\d+$/.test(text)
  if (digits) return steps.size === 1
  const plain = new Set(codes.slice(1).map((code, at) => code - (codes[at] ?? 0)))
  return plain.size === 1 && (plain.has(1) || plain.has(-1))
}

/** `password1234567`, `sunshine2024!`: a common one, then the digits that everybody appends. */
function isCommonWordWithDigits(text: string, common: CommonPasswords): boolean {
  const [, word = '', digits = ''] = /^(.*?\D)(\d*)[!.?]?$/su.exec(text) ?? []
  if (word.length < 4 || !common.has(word)) return false
  const year = /^(19|20)\d\d$/.test(digits)
  return digits.length <= 3 || year || isSequence(digits)
}
