/** The access token of `Authorization: Bearer` (RFC 6750 §2.1). */
import { ProblemError } from '../domain/problem.ts'

/** Longest token looked at, characters; ours have under 1,000. */
const MAX_TOKEN_LENGTH = 4096

/** What follows `Bearer` and one space, unchecked; undefined without the header or with another scheme. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer(?: |$)(.*)$/i.exec(authorization?.trim() ?? '')?.[1]
}

/** The token of a route that needs one. Throws `token_missing` or, where it cannot be a token, `token_invalid`. */
export function requiredToken(bearer: string | undefined): string {
  if (bearer === undefined) throw new ProblemError('token_missing')
  const plausible = bearer.length <= MAX_TOKEN_LENGTH && /^[\w.~+/-]+=*$/.test(bearer)
  if (!plausible) throw new ProblemError('token_invalid')
  return bearer
}
