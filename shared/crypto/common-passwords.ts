import type { CommonPasswords } from '../domain/password.ts'

let loaded: Promise<CommonPasswords> | undefined

/**
 * Some 49,000 common passwords in lower case, of which 18,000 have 8 characters or more (PW-03). Read on first
 * use and kept as one text of 0.5 MB, whose search takes less than a hundredth of a hash; a set of them takes 8 MB.
 */
export function commonPasswords(): Promise<CommonPasswords> {
  loaded ??= import('@zxcvbn-ts/language-common').then(({ dictionary }) => {
    const lines = `\n${dictionary['passwords-common'].join('\n').toLowerCase()}\n`
    return { has: (password) => !password.includes('\n') && lines.includes(`\n${password}\n`) }
  })
  return loaded
}
