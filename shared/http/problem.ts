/** How each problem code looks over HTTP: status, title and what an app does about it (contract 3, RFC 9457). */
import { type ProblemCode, ProblemError } from '../domain/problem.ts'

export type ProblemForm = {
  readonly status: number
  /** Never changes with the request (RFC 9457 §3.1.3). */
  readonly title: string
  /** The same request may work later. */
  readonly retryable?: true
  /** Only a new login helps. */
  readonly signInAgain?: true
}

/** Status, title and advice of every code; a code without a row does not compile. */
export const PROBLEMS = {
  malformed_json: { status: 400, title: 'The request could not be read' },
  invalid_request: { status: 400, title: 'The request is not valid' },
  malformed_multipart: { status: 400, title: 'The form could not be read' },
  file_missing: { status: 400, title: 'No file in the request' },
  file_empty: { status: 400, title: 'The file is empty' },
  too_many_files: { status: 400, title: 'Only one file per request' },
  token_missing: { status: 401, title: 'An access token is required' },
  token_invalid: { status: 401, title: 'The token is not valid' },
  token_expired: { status: 401, title: 'The access token has expired' },
  session_ended: { status: 401, title: 'This session has ended', signInAgain: true },
  refresh_token_reused: {
    status: 401,
    title: 'This refresh token was already used',
    signInAgain: true,
  },
  invalid_credentials: { status: 401, title: 'Username or password is wrong' },
  reauthentication_required: {
    status: 401,
    title: 'Confirm your password first',
    signInAgain: true,
  },
  admin_required: { status: 403, title: 'Only an admin may do this' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  not_acceptable: { status: 406, title: 'No acceptable representation' },
  request_timeout: { status: 408, title: 'The request took too long', retryable: true },
  username_taken: { status: 409, title: 'This username is taken' },
  idempotency_key_in_use: {
    status: 409,
    title: 'The first request with this key still runs',
    retryable: true,
  },
  upload_incomplete: { status: 409, title: 'Not all bytes have arrived', retryable: true },
  quota_exceeded: { status: 409, title: 'Your photo quota is full' },
  body_too_large: { status: 413, title: 'The request is too large' },
  photo_too_large: { status: 413, title: 'The photo is too large' },
  uri_too_long: { status: 414, title: 'The address is too long' },
  unsupported_media_type: { status: 415, title: 'This content type is not supported' },
  unsupported_image_type: { status: 415, title: 'This image format is not supported' },
  content_encoding_refused: { status: 415, title: 'Send the body uncompressed' },
  image_damaged: { status: 422, title: 'The image is damaged' },
  upload_mismatch: { status: 422, title: 'Not the bytes that were announced' },
  photo_too_many_pixels: { status: 422, title: 'The photo has too many pixels' },
  idempotency_key_reused: { status: 422, title: 'This key was used for other content' },
  password_too_common: { status: 422, title: 'This password is too common' },
  rate_limited: { status: 429, title: 'Too many requests', retryable: true },
  headers_too_large: { status: 431, title: 'The headers are too large' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  unavailable: { status: 503, title: 'Temporarily unavailable', retryable: true },
} satisfies Record<ProblemCode, ProblemForm>

/** The row of a code, as one type whatever the code. */
export function problemForm(code: ProblemCode): ProblemForm {
  return PROBLEMS[code]
}

/** Sent with a 503 that does not say when to come back, seconds. */
const RETRY_UNAVAILABLE_SECONDS = 2

/** Challenges of RFC 6750 §3 and RFC 9470 §3; every 401 has one (contract 3). */
function challenge(code: ProblemCode): string {
  switch (code) {
    case 'token_missing':
    case 'invalid_credentials':
      return 'Bearer realm="Wowmedia"'
    case 'reauthentication_required':
      return 'Bearer realm="Wowmedia", error="insufficient_user_authentication", max_age=300'
    default:
      return `Bearer realm="Wowmedia", error="invalid_token", error_description="${PROBLEMS[code].title}"`
  }
}

/** What is thrown becomes a problem: what is not ours is `internal`, and nothing of it leaves (contract 3). */
export function asProblem(thrown: unknown): ProblemError {
  return thrown instanceof ProblemError ? thrown : new ProblemError('internal', { cause: thrown })
}

export type ProblemReply = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** problem+json as text. */
  readonly content: string
}

/** The whole answer for a problem, apart from the headers that every answer has. */
export function problemReply(problem: ProblemError, requestId: string): ProblemReply {
  const form = problemForm(problem.code)
  const detail = problem.detail ?? form.title
  const body = {
    type: `urn:wowmedia:problem:${problem.code}`,
    title: form.title,
    status: form.status,
    detail,
    code: problem.code,
    message: detail,
    request_id: requestId,
    retryable: form.retryable === true,
    sign_in_again: form.signInAgain === true || problem.signInAgain,
    ...(problem.errors.length === 0 ? {} : { errors: problem.errors }),
  }
  const retryAfter =
    problem.retryAfterSeconds ??
    (problem.code === 'unavailable' ? RETRY_UNAVAILABLE_SECONDS : undefined)
  return {
    status: form.status,
    headers: {
      'Content-Type': 'application/problem+json',
      ...(form.status === 401 ? { 'WWW-Authenticate': challenge(problem.code) } : {}),
      ...(retryAfter === undefined
        ? {}
        : { 'Retry-After': String(Math.max(1, Math.ceil(retryAfter))) }),
      ...problem.headers,
    },
    content: `${JSON.stringify(body)}\n`,
  }
}
