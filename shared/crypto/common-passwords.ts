import type { CommonPasswords } from '../domain/password.ts'

let loaded: Promise<CommonPasswords> | undefined

/**
 * Some 49,000 common passwords in lower case, of which 18,000 have 8 characters or more (PW-03). Read on first
 * use and kept: what only signs in never pays for it.
 */
export function commonPasswords(): Promise<CommonPasswords> {
  loaded ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) =>
      new Set(dictionary['passwords-common'].map((password) => password.toLowerCase())),
  )
  return loaded
}
