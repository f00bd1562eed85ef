/** Cross-origin rules: nothing unless the exact origin is configured (HTTP-05). */
const EXPOSED =
  'Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, Idempotency-Replayed, WWW-Authenticate'
const ALLOWED_HEADERS = 'Authorization, Content-Type, Idempotency-Key, X-Request-Id'
const PREFLIGHT_SECONDS = '600'

type Headers = Readonly<Record<string, string>>

/** Headers of every answer, whatever its status; none where no origin is configured. */
export function corsHeaders(origins: readonly string[], origin: string | undefined): Headers {
  if (origins.length === 0) return {}
  if (origin === undefined || !origins.includes(origin)) return { Vary: 'Origin' }
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': EXPOSED,
  }
}

/** What an `OPTIONS` answer has besides, for an allowed origin. */
export function preflightHeaders(
  origins: readonly string[],
  origin: string | undefined,
  allow: string,
): Headers {
  if (origin === undefined || !origins.includes(origin)) return {}
  return {
    'Access-Control-Allow-Methods': allow,
    'Access-Control-Allow-Headers': ALLOWED_HEADERS,
    'Access-Control-Max-Age': PREFLIGHT_SECONDS,
  }
}
