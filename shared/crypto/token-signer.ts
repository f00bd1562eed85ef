import { SignJWT } from 'jose'
import type { Session } from '../domain/session.ts'
import { CLIENT_ID, TOKEN_TYPE } from './access-token.ts'
import { randomId } from './random-id.ts'
import { openSigningKey, type SigningFiles } from './signing-keys.ts'

export type SignerConfig = SigningFiles & {
  readonly TOKEN_ISSUER: string
  readonly TOKEN_AUDIENCE: string
  readonly ACCESS_TOKEN_SECONDS: number
}
export type TokenSigner = {
  /** An access token of this session's current hand-out, as RFC 9068 has it; `now` becomes `iat`. */
  sign(session: Session, now: Date): Promise<string>
  readonly expiresInSeconds: number
}

const seconds = (time: Date) => Math.floor(time.getTime() / 1000)

/** Loads and tests the key. Throws StartError. */
export function openTokenSigner(config: SignerConfig): TokenSigner {
  const keys = openSigningKey(config)
  const sign = async (session: Session, now: Date) => {
    const { kid, key } = keys.current()
    const issuedAt = seconds(now)
    return await new SignJWT({
      sid: session.id,
      client_id: CLIENT_ID,
      auth_time: seconds(session.authTime),
      gen: session.generation,
      dlv: session.delivery,
    })
      .setProtectedHeader({ alg: 'ES256', typ: TOKEN_TYPE, kid })
      .setIssuer(config.TOKEN_ISSUER)
      .setAudience(config.TOKEN_AUDIENCE)
      .setSubject(session.userId)
      .setJti(randomId())
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + config.ACCESS_TOKEN_SECONDS)
      .sign(key)
  }
  return { sign, expiresInSeconds: config.ACCESS_TOKEN_SECONDS }
}
