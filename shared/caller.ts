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

/** Parallel first calls with a new token lose against one another; each loss is one more read and commit. */
const ROUNDS = 20

/** Loads the public keys (throws StartError) and gives what `serve` wants as `identify`. */
export function identifyCaller(database: Database, config: CallerConfig): Identify {
  const verifier = openTokenVerifier(config)
  return async (accessToken, context) => {
    const claims = await verifier.verify(accessToken, context.now)
    for (let round = 0; round < ROUNDS; round += 1) {
      const found = await readOwnedSession(database, claims.sessionId, claims.userId)
      const caller = await callerOf(claims, found, config, context)
      if (caller !== 'changed meanwhile') return caller
    }
    throw new ProblemError('unavailable', { retryAfterSeconds: 1 })
  }
}

async function callerOf(
  claims: AccessTokenClaims,
  found: OwnedSession,
  config: CallerConfig,
  { address, event }: Context,
): Promise<Caller | 'changed meanwhile'> {
  const { readAt } = found
  const { session, user } = livingSession(found, claims.userId, config.TOKENS_NOT_BEFORE)
  const tooOld = config.TOKENS_NOT_BEFORE !== 'none' && claims.issuedAt < config.TOKENS_NOT_BEFORE
  const verdict = useAccessToken(session, claims, readAt)
  if (tooOld || verdict.kind === 'ended') throw new ProblemError('session_ended')
  const network = networkOf(address)
  if (verdict.kind === 'reused') {
    if ((await found.replace(verdict.session)) === 'lost') return 'changed meanwhile'
    const fields = { uid: user.id, sid: session.id, network, session_network: session.network }
    event('refresh_reuse', fields, 'ALERT')
    throw new ProblemError('refresh_token_reused')
  }
  if (verdict.kind === 'first-sight') {
    const outcome = await found.replace(noteUse(verdict.session, network, readAt))
    if (outcome === 'lost') return 'changed meanwhile'
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
