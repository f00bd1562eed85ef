import { ProblemError } from './problem.ts'

const FORM = /^[a-z0-9][a-z0-9._+@-]{2,63}$/

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

/**
 * The one form of a name under which it is stored, compared and shown: NFKC, lower case, 3 to 64 ASCII
 * characters (contract 4, AUTH-04). Undefined where it has not that form or folding is not stable.
 */
export function foldUsername(text: string): string | undefined {
  const name = fold(text)
  return FORM.test(name) && fold(name) === name ? name : undefined
}

/** The folded name of a request's field `username`. Throws `invalid_request`. */
export function usernameOf(text: string): string {
  const name = foldUsername(text)
  if (name !== undefined) return name
  const message =
    'must have 3 to 64 characters: letters, digits and . _ - + @, and start with a letter or digit'
  throw new ProblemError('invalid_request', { errors: [{ field: 'username', message }] })
}
