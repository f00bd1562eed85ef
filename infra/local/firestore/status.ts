/** The gRPC status codes this server sends; numbers are those of grpc.github.io/grpc/core/md_doc_statuscodes.html. */
export const CODES = {
  OK: 0,
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
} as const

export type CodeName = keyof typeof CODES

/** An answer other than OK; whatever else is thrown in a handler becomes INTERNAL. */
export class StatusError extends Error {
  readonly code: number

  constructor(code: CodeName, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StatusError'
    this.code = CODES[code]
  }
}

/** The request can never succeed as it stands. */
export function invalid(message: string): StatusError {
  return new StatusError('INVALID_ARGUMENT', message)
}

export function unimplemented(message: string): StatusError {
  return new StatusError('UNIMPLEMENTED', message)
}
