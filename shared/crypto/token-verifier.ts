import { errors, type JWTVerifyOptions, jwtVerify } from 'jose'
import { ProblemError } from '../domain/problem.ts'
import {
  type AccessTokenClaims,
  CLOCK_SKEW_SECONDS,
  claimsOf,
  keyIdOf,
  MAX_LIFETIME_SECONDS,
  TOKEN_TYPE,
} from './access-token.ts'
import { type JwksFile, openPublicKeys, type PublicKeys } from './public-keys.ts'
import { VerifiedTokens } from './verified-tokens.ts'
import type { Watched } from './watched-file.ts'

export type VerifierConfig = JwksFile & {
  readonly TOKEN_ISSUER: string
  readonly TOKEN_AUDIENCE: string
}
export type TokenVerifier = {
  /** The claims of one of our access tokens. Throws `token_expired` or `token_invalid`; touches no network. */
  verify(token: string, now: Date): Promise<AccessTokenClaims>
}

/** Loads the public keys. Throws StartError. */
export function openTokenVerifier(config: VerifierConfig): TokenVerifier {
  const keys = openPublicKeys(config)
  const expected: JWTVerifyOptions = Object.freeze({
    algorithms: ['ES256'],
    issuer: config.TOKEN_ISSUER,
    audience: config.TOKEN_AUDIENCE,
    typ: TOKEN_TYPE,
    requiredClaims: ['exp', 'iat', 'sub', 'jti', 'sid', 'client_id', 'auth_time', 'gen', 'dlv'],
    clockTolerance: CLOCK_SKEW_SECONDS,
    maxTokenAge: MAX_LIFETIME_SECONDS,
  })
  const verified = new VerifiedTokens()
  return {
    verify: async (token, now) => {
      const known = verified.find(token, keys.current().byId, now)
      if (known !== undefined) return known
      const { keyId, key } = keyFor(keys, token)
      try {
        const { payload } = await jwtVerify(token, key, { ...expected, currentDate: now })
        const claims = claimsOf(payload)
        if (claims !== undefined) {
          verified.add(token, { keyId, key, claims })
          return claims
        }
      } catch (error) {
        const expired = error instanceof errors.JWTExpired && error.claim === 'exp'
        throw new ProblemError(expired ? 'token_expired' : 'token_invalid', { cause: error })
      }
      throw new ProblemError('token_invalid')
    },
  }
}

function keyFor(keys: Watched<PublicKeys>, token: string) {
  const keyId = keyIdOf(token)
  if (keyId === undefined) throw new ProblemError('token_invalid')
  // A token may come with a key that was published a moment ago: one look whether the file is a new one.
  const key = keys.current().byId.get(keyId) ?? keys.changed().byId.get(keyId)
  if (key === undefined) throw new ProblemError('token_invalid')
  return { keyId, key }
}
