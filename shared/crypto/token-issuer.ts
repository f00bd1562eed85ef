import { type Lifetimes, openSession, type Session } from '../domain/session.ts'
import { randomId } from './random-id.ts'
import { openRefreshTokens, type RefreshTokens } from './refresh-token.ts'
import { openTokenSecrets, type TokenSecretFile, type TokenSecrets } from './token-secrets.ts'
import { openTokenSigner, type SignerConfig } from './token-signer.ts'
import type { Watched } from './watched-file.ts'

/** The settings that a function which makes tokens needs, besides those of its database. */
export const ISSUER_SETTINGS = [
  'K_SERVICE',
  'JWKS_FILE',
  'SIGNING_KEY_FILE',
  'TOKEN_SECRET_FILE',
  'TOKEN_ISSUER',
  'TOKEN_AUDIENCE',
  'ACCESS_TOKEN_SECONDS',
  'REFRESH_TOKEN_IDLE_DAYS',
  'REFRESH_TOKEN_MAX_DAYS',
] as const

export type IssuerConfig = SignerConfig & TokenSecretFile & Lifetimes

export type TokenPair = {
  readonly accessToken: string
  readonly refreshToken: string
  readonly expiresInSeconds: number
}
export type Device = Pick<Session, 'userId' | 'sessionEpoch' | 'name' | 'network'>

/** All that makes tokens; only `register`, `login` and `refresh` have one (KEY-01). */
export type TokenIssuer = {
  readonly secrets: Watched<TokenSecrets>
  readonly refreshTokens: RefreshTokens
  /** A session that begins now, which is not stored yet, and its first refresh token. */
  begin(device: Device, now: Date): { readonly session: Session; readonly refreshToken: string }
  /** The refresh token with a fresh access token of the session's current hand-out. */
  pair(session: Session, refreshToken: string, now: Date): Promise<TokenPair>
}

/** Loads and tests signing key and secrets. Throws StartError. */
export function openTokenIssuer(config: IssuerConfig): TokenIssuer {
  const signer = openTokenSigner(config)
  const secrets = openTokenSecrets(config)
  const refreshTokens = openRefreshTokens(secrets)
  return {
    secrets,
    refreshTokens,
    begin: (device, now) => {
      const id = randomId()
      const place = { userId: device.userId, sessionId: id, generation: 1 }
      const { token, hash } = refreshTokens.derive(place)
      const session = openSession({ ...device, id, currentHash: hash }, config, now)
      return { session, refreshToken: token }
    },
    pair: async (session, refreshToken, now) => ({
      accessToken: await signer.sign(session, now),
      refreshToken,
      expiresInSeconds: signer.expiresInSeconds,
    }),
  }
}
