/** What callers are told about a limit (RL-08, draft-ietf-httpapi-ratelimit-headers-10). */
import { ProblemError } from '../domain/problem.ts'
import { inWords } from '../domain/rate.ts'
import type { LimitVerdict, WindowState } from '../domain/sliding-window.ts'

/** The first rate has the policy's name, further ones the length of their window besides: names must differ. */
function nameOf(policy: string, state: WindowState, index: number): string {
  return index === 0 ? `"${policy}"` : `"${policy}-${state.rate.windowSeconds}"`
}

/** `RateLimit-Policy: "upload";q=5;w=60` and `RateLimit: "upload";r=4;t=60`, for admitted and refused replies alike. */
export function rateLimitHeaders(
  policy: string,
  windows: readonly WindowState[],
): Readonly<Record<'RateLimit' | 'RateLimit-Policy', string>> {
  const policies = windows.map((state, index) => {
    const { count, windowSeconds } = state.rate
    return `${nameOf(policy, state, index)};q=${count};w=${windowSeconds}`
  })
  const limits = windows.map((state, index) => {
    return `${nameOf(policy, state, index)};r=${state.remaining};t=${state.resetSeconds}`
  })
  return { 'RateLimit-Policy': policies.join(', '), RateLimit: limits.join(', ') }
}

/** The 429 of a refusing verdict: `Retry-After`, both headers, and `5 per 1 minute` as detail (contract 3). */
export function rateLimited(policy: string, verdict: LimitVerdict): ProblemError {
  const full = verdict.windows.filter((state) => state.remaining === 0)
  const [slowest] = full.toSorted((one, other) => other.resetSeconds - one.resetSeconds)
  return new ProblemError('rate_limited', {
    ...(slowest === undefined ? {} : { detail: inWords(slowest.rate) }),
    retryAfterSeconds: Math.max(1, verdict.retryAfterSeconds),
    headers: rateLimitHeaders(policy, verdict.windows),
  })
}
