/** What a refusal looks like on both sides: `reason` in the JSON API, `code` in the XML API. */
type Refusal = { status: number; reason: string; code: string }

const REFUSALS = {
  invalid: { status: 400, reason: 'invalid', code: 'InvalidArgument' },
  badDigest: { status: 400, reason: 'invalid', code: 'BadDigest' },
  malformedHeader: { status: 400, reason: 'invalid', code: 'MalformedSecurityHeader' },
  expired: { status: 400, reason: 'expired', code: 'ExpiredToken' },
  entityTooLarge: { status: 400, reason: 'uploadTooLarge', code: 'EntityTooLarge' },
  entityTooSmall: { status: 400, reason: 'uploadTooSmall', code: 'EntityTooSmall' },
  signature: { status: 403, reason: 'forbidden', code: 'SignatureDoesNotMatch' },
  denied: { status: 403, reason: 'forbidden', code: 'AccessDenied' },
  noBucket: { status: 404, reason: 'notFound', code: 'NoSuchBucket' },
  noObject: { status: 404, reason: 'notFound', code: 'NoSuchKey' },
  noUpload: { status: 404, reason: 'notFound', code: 'NoSuchUpload' },
  noRoute: { status: 404, reason: 'notFound', code: 'NotFound' },
  method: { status: 405, reason: 'methodNotAllowed', code: 'MethodNotAllowed' },
  timeout: { status: 408, reason: 'requestTimeout', code: 'RequestTimeout' },
  conflict: { status: 409, reason: 'conflict', code: 'Conflict' },
  condition: { status: 412, reason: 'conditionNotMet', code: 'PreconditionFailed' },
  bodyTooLarge: { status: 413, reason: 'uploadTooLarge', code: 'EntityTooLarge' },
  range: {
    status: 416,
    reason: 'requestedRangeNotSatisfiable',
    code: 'InvalidRange',
  },
  cancelled: { status: 499, reason: 'cancelled', code: 'ClientClosedRequest' },
  internal: { status: 500, reason: 'internalError', code: 'InternalError' },
  unimplemented: { status: 501, reason: 'notImplemented', code: 'NotImplemented' },
  gap: { status: 503, reason: 'backendError', code: 'ServiceUnavailable' },
  diskFull: { status: 507, reason: 'insufficientStorage', code: 'InsufficientStorage' },
} as const satisfies Record<string, Refusal>

export type RefusalName = keyof typeof REFUSALS

/** A request that was refused; both sides of the server render it in their own form. */
export class StorageError extends Error {
  readonly refusal: Refusal
  /** Headers of the answer, for instance `Content-Range` with 416. */
  readonly headers: Readonly<Record<string, string>>

  constructor(
    name: RefusalName,
    message: string,
    options: { headers?: Readonly<Record<string, string>>; cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : {})
    this.name = 'StorageError'
    this.refusal = REFUSALS[name]
    this.headers = options.headers ?? {}
  }
}

/** A refusal that has another error as its cause. */
export const refusedBecause = (cause: unknown, name: RefusalName, message: string) =>
  new StorageError(name, message, { cause })

const errorCode = (error: unknown) =>
  error instanceof Error && 'code' in error ? String(error.code) : ''

/** True where the file does not exist. */
export const isMissing = (error: unknown) => errorCode(error) === 'ENOENT'

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
/** SQLITE_FULL, primary result code (sqlite.org/rescode.html). */
const SQLITE_FULL = 13

const isFull = (error: unknown) =>
  FULL.has(errorCode(error)) ||
  (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_FULL)

/**
 * Any error as one that has an answer. A full disk is 507: on 500 and 503 the client library
 * would repeat for minutes. What nobody foresaw is 500, and `log` gets its stack.
 */
export function asStorageError(error: unknown, log: (line: string) => void): StorageError {
  if (error instanceof StorageError) return error
  if (isFull(error)) {
    return new StorageError('diskFull', 'The disk is full; nothing was stored.', { cause: error })
  }
  log(`storage: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  return new StorageError('internal', 'Internal error; the server printed it.', { cause: error })
}

/** The error body of the JSON API. */
export const jsonError = (error: StorageError) => ({
  error: {
    code: error.refusal.status,
    message: error.message,
    errors: [{ message: error.message, domain: 'global', reason: error.refusal.reason }],
  },
})

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** The error body of the XML API. */
export function xmlError(error: StorageError): string {
  const message = error.message.replace(/[&<>]/g, (sign) => ENTITIES[sign] ?? sign)
  return (
    `<?xml version='1.0' encoding='UTF-8'?>` +
    `<Error><Code>${error.refusal.code}</Code><Message>${message}</Message></Error>`
  )
}
