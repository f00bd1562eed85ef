import { atStart, settings } from '../shared/config.ts'
import { isKnown, type RefreshToken } from '../shared/crypto/refresh-token.ts'
import { ISSUER_SETTINGS, openTokenIssuer, type TokenPair } from '../shared/crypto/token-issuer.ts'
import { networkOf } from '../shared/domain/network.ts'
import { ProblemError } from '../shared/domain/problem.ts'
import type { Rate } from '../shared/domain/rate.ts'
import { later, prolong, type Session } from '../shared/domain/session.ts'
import { type Admission, openAdmission } from '../shared/domain/sliding-window.ts'
import { type RefreshVerdict, useRefreshToken } from '../shared/domain/token-use.ts'
import { defineEndpoint, optionalJsonBody, type Request } from '../shared/http/endpoint.ts'
import { rateLimited } from '../shared/http/rate-limit-headers.ts'
import { serve } from '../shared/http/serve.ts'
import {
  presentedToken,
  refreshed,
  refreshTokenBody,
  refreshTokenExample,
  tokenMembers,
} from '../shared/http/token-reply.ts'
import { openDatabase } from '../shared/store/firestore.ts'
import { newMark } from '../shared/store/rate-limits.ts'
import { untilWon } from '../shared/store/rounds.ts'
import { livingSession, readOwnedSession, type StoredSession } from '../shared/store/sessions.ts'

const config = settings(
  'GOOGLE_CLOUD_PROJECT',
  'FIRESTORE_DATABASE',
  'TOKENS_NOT_BEFORE',
  ...ISSUER_SETTINGS,
)
const database = openDatabase(config)
const tokens = atStart(() => openTokenIssuer(config))

/** Refreshes of one session (RL-04). */
const LIMIT: readonly Rate[] = [{ count: 60, windowSeconds: 60 }]

export const endpoint = defineEndpoint({
  name: 'refresh',
  routes: {
    'POST /token/refresh': {
      summary: 'New tokens for a refresh token',
      description:
        'Each refresh gives a new pair. After a lost reply, repeat with the old refresh token: the same new one comes again. An older one ends the session.',
      access: 'anyone',
      body: optionalJsonBody(refreshTokenBody, refreshTokenExample),
      replies: { 200: refreshed },
      problems: [
        'token_missing',
        'token_invalid',
        'session_ended',
        'refresh_token_reused',
        'rate_limited',
        'unavailable',
      ],
    },
  },
})

serve(endpoint, {
  'POST /token/refresh': async ({ body, bearer, address, signal, event }) => {
    const presented = tokens.refreshTokens.verify(presentedToken(body, bearer))
    if (presented === undefined) throw invalidToken()
    const admission = openAdmission(newMark())
    const network = networkOf(address)
    const cameAt = performance.now()
    const pair = await untilWon(() => {
      // An app that hung up has asked again by now, and nobody waits for what its first request would get.
      signal.throwIfAborted()
      return useOnce(presented, { admission, network, event, cameAt })
    })
    return { status: 200, body: tokenMembers(pair) }
  },
})

type Use = Pick<Request, 'event'> & {
  readonly admission: Admission
  readonly network: string
  /** As `performance.now()` counts. */
  readonly cameAt: number
}

/** One read and at most one commit, which fails where the session changed between them. */
async function useOnce(presented: RefreshToken, use: Use): Promise<TokenPair | 'lost'> {
  const found = await readOwnedSession(database, presented.sessionId, presented.userId)
  const { session, user } = livingSession(found, presented.userId, config.TOKENS_NOT_BEFORE)
  if (!isKnown(presented, session)) throw invalidToken()

  const presentedAt = later(found.readAt, use.cameAt - performance.now())
  const { generation } = presented
  const verdict = useRefreshToken(session, { generation, presentedAt }, found.readAt)
  if (verdict.kind === 'ended' || verdict.kind === 'late') throw refusalOf(verdict.kind)
  if (verdict.kind === 'reused') {
    if ((await found.replace(verdict.session)) === 'lost') return 'lost'
    const fields = { uid: user.id, sid: session.id, session_network: session.network }
    use.event('refresh_reuse', fields, 'ALERT')
    throw new ProblemError('refresh_token_reused')
  }
  return await handOut(found, session, verdict, use)
}

/** The pair of the verdict's session, which is stored first where it is another one than was read. */
async function handOut(
  { readAt, replace }: StoredSession,
  session: Session,
  verdict: Extract<RefreshVerdict, { kind: 'rotated' | 'repeated' }>,
  use: Use,
): Promise<TokenPair | 'lost'> {
  const counted = use.admission.decide(session.refreshHits, LIMIT, readAt.getTime())
  if (!counted.admitted) throw rateLimited('refresh', counted)
  const { refreshToken, hash } = tokenOf(verdict.session, verdict.kind)
  const next = { ...verdict.session, currentHash: hash, refreshHits: counted.hits }
  if (verdict.session !== session || hash !== session.currentHash) {
    const outcome = await replace(prolong(next, config, use.network, readAt))
    if (outcome === 'lost') return 'lost'
  }
  return await tokens.pair(next, refreshToken, readAt)
}

function refusalOf(kind: 'ended' | 'late'): ProblemError {
  if (kind === 'ended') return new ProblemError('session_ended')
  return new ProblemError('unavailable', { retryAfterSeconds: 1 })
}

/** A new token for a new generation, else the one that was handed out before. */
function tokenOf(session: Session, kind: 'rotated' | 'repeated') {
  const place = { userId: session.userId, sessionId: session.id, generation: session.generation }
  const again =
    kind === 'repeated' ? tokens.refreshTokens.again(place, session.currentHash) : undefined
  if (again !== undefined) return { refreshToken: again, hash: session.currentHash }
  const { token, hash } = tokens.refreshTokens.derive(place)
  return { refreshToken: token, hash }
}

/** Unlike at other endpoints nothing is left to try, or apps would refresh in a loop (contract 3). */
function invalidToken(): ProblemError {
  return new ProblemError('token_invalid', { signInAgain: true })
}
