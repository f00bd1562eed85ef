/**
 * Everything that can go wrong for a caller, as one closed set of stable codes (contract 3).
 * Status and title belong to HTTP and stand in `shared/http/problem.ts`.
 */
export const PROBLEM_CODES = [
  'malformed_json',
  'invalid_request',
  'malformed_multipart',
  'file_missing',
  'file_empty',
  'too_many_files',
  'token_missing',
  'token_invalid',
  'token_expired',
  'session_ended',
  'refresh_token_reused',
  'invalid_credentials',
  'reauthentication_required',
  'admin_required',
  'not_found',
  'method_not_allowed',
  'not_acceptable',
  'username_taken',
  'idempotency_key_in_use',
  'upload_incomplete',
  'quota_exceeded',
  'request_timeout',
  'body_too_large',
  'photo_too_large',
  'uri_too_long',
  'unsupported_media_type',
  'unsupported_image_type',
  'content_encoding_refused',
  'image_damaged',
  'upload_mismatch',
  'photo_too_many_pixels',
  'idempotency_key_reused',
  'password_too_common',
  'rate_limited',
  'headers_too_large',
  'internal',
  'unavailable',
] as const

export type ProblemCode = (typeof PROBLEM_CODES)[number]

/** One refused input field: `field` as in the request's JSON or query, `message` for a person. */
export type FieldError = { readonly field: string; readonly message: string }

export type ProblemOptions = {
  /** What varies with the request, for the caller; never a value that the caller sent. */
  readonly detail?: string
  /** Whole seconds after which the same request is admitted; sent as `Retry-After`. */
  readonly retryAfterSeconds?: number
  /** The refused fields of an `invalid_request`. */
  readonly errors?: readonly FieldError[]
  /** Only a new login helps, where the code alone does not say so: `token_invalid` at `/token/refresh` (contract 3). */
  readonly signInAgain?: true
  /** Additional reply headers, e.g. `RateLimit`; names in their usual spelling. */
  readonly headers?: Readonly<Record<string, string>>
  /** What caused it, for the log only. */
  readonly cause?: unknown
}

/** A failure on its way to the caller: thrown anywhere, turned into problem+json by `shared/http/serve.ts`. */
export class ProblemError extends Error {
  readonly code: ProblemCode
  readonly detail: string | undefined
  readonly retryAfterSeconds: number | undefined
  readonly errors: readonly FieldError[]
  readonly headers: Readonly<Record<string, string>>
  readonly signInAgain: boolean

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(
      options.detail ?? code,
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.name = 'ProblemError'
    this.code = code
    this.detail = options.detail
    this.retryAfterSeconds = options.retryAfterSeconds
    this.errors = options.errors ?? []
    this.headers = options.headers ?? {}
    this.signInAgain = options.signInAgain === true
  }
}
