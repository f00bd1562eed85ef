/**
 * Who is calling: the access token is verified, then session, user and the mark of `DELETE /users` are read in one
 * RPC (TOK-09). Nothing is cached, so a logout counts on the next call; a store that fails is 503, never a pass.
 */
import type { AccessTokenClaims } from './crypto/access-token.ts'
import { openTokenVerifier, type VerifierConfig } from './crypto/token-verifier.ts'
import { networkOf } from './domain/network.ts'
import { ProblemError } from './domain/problem.ts'
import type { Caller } from './domain/role.ts'
import { noteUse } from './domain/session.ts'
import { useAccessToken } from './domain/token-use.ts'
import type { Identify } from './http/endpoint.ts'
import type { Database } from './store/firestore.ts'
import { untilWon } from './store/rounds.ts'
import { livingSession, type OwnedSession, readOwnedSession } from './store/sessions.ts'

/** The settings that a function with callers needs, besides those of its database. */
export const CALLER_SETTINGS = [
  'JWKS_FILE',
  'TOKEN_ISSUER',
  'TOKEN_AUDIENCE',
  'TOKENS_NOT_BEFORE',
  'K_SERVICE',
] as const

export type CallerConfig = VerifierConfig & { readonly TOKENS_NOT_BEFORE: Date | 'none' }

type Context = Parameters<Identify>[1]

/** Loads the public keys (throws StartError) and gives what `serve` wants as `identify`. */
export function identifyCaller(database: Database, config: CallerConfig): Identify {
  const verifier = openTokenVerifier(config)
  return async (accessToken, context) => {
    const claims = await verifier.verify(accessToken, context.now)
    return await untilWon(async () => {
      const found = await readOwnedSession(database, claims.sessionId, claims.userId)
      tellTrouble(claims, found, context)
      return await callerOf(claims, found, config, context)
    })
  }
}

/** Firestore's clock is everybody's; an instance so far off it would refuse fresh tokens (F14). */
const SKEW_MS = 60_000
const HOUR_MS = 3_600_000
let skewToldAt = Number.NEGATIVE_INFINITY

function tellTrouble(
  claims: AccessTokenClaims,
  found: OwnedSession,
  { now, event }: Context,
): void {
  const { userId: uid, sessionId: sid } = claims
  if (found.damaged) event('session_damaged', { uid, sid }, 'ALERT')
  const skew = now.getTime() - found.readAt.getTime()
  if (Math.abs(skew) <= SKEW_MS || performance.now() - skewToldAt < HOUR_MS) return
  skewToldAt = performance.now()
  event('clock_skew', { seconds: Math.round(skew / 1000) }, 'ALERT')
}

async function callerOf(
  claims: AccessTokenClaims,
  found: OwnedSession,
  { TOKENS_NOT_BEFORE: notBefore }: CallerConfig,
  { address, event }: Context,
): Promise<Caller | 'lost'> {
  const { readAt } = found
  const { session, user } = livingSession(found, claims.userId, notBefore)
  const isTooOld = notBefore !== 'none' && claims.issuedAt < notBefore
  const verdict = useAccessToken(session, claims, readAt)
  if (isTooOld || verdict.kind === 'ended') throw new ProblemError('session_ended')
  if (verdict.kind === 'reused') {
    if ((await found.replace(verdict.session)) === 'lost') return 'lost'
    const fields = { uid: user.id, sid: session.id, session_network: session.network }
    event('refresh_reuse', fields, 'ALERT')
    throw new ProblemError('refresh_token_reused')
  }
  if (verdict.kind === 'first-sight') {
    const used = noteUse(verdict.session, networkOf(address), readAt)
    if ((await found.replace(used)) === 'lost') return 'lost'
  }
  return {
    userId: user.id,
    username: user.username,
    role: user.role,
    sessionId: session.id,
    authTime: session.authTime,
    readAt,
  }
}
