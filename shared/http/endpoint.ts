/**
 * What an endpoint is, as plain data: the pipeline, the deployment manifest and the API description
 * are all made from it, without running a handler.
 */
import type { Readable } from 'node:stream'
import type { ProblemCode } from '../domain/problem.ts'
import type { Caller } from '../domain/role.ts'
import type { Infer, ObjectSchema, Schema } from './schema.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
/** `GET /photos/{id}`: method, space, path template. */
export type RouteKey = `${Method} /${string}`

/**
 * - `anyone`: no token is looked at by the pipeline (a handler may read `bearer`).
 * - `user`: a valid access token of a living session; the handler gets its `caller`.
 * - `admin`: the same, and the role `admin`, else 403 `admin_required`.
 */
export type Access = 'anyone' | 'user' | 'admin'

/** A JSON body of one object. `required: false`: an empty body is `undefined`, whatever its declared type. */
export type JsonBody<T> = {
  readonly kind: 'json'
  readonly schema: Schema<T>
  readonly required: boolean
  /** One that works, for the API description. */
  readonly example?: T
}
/** An image as `multipart/form-data` with a part `file`, or as the body itself. */
export type PhotoBody = {
  readonly kind: 'photo' /** Bytes of the file; the request may have 64 KiB more. */
  readonly maxBytes: number
}
export type BodySpec = JsonBody<unknown> | PhotoBody

export type ReplySpec = {
  readonly description: string
  /** Absent: no body, or not JSON (then `contentType` says what). */
  readonly schema?: Schema<unknown>
  readonly contentType?: string
  readonly headers?: readonly (
    | 'Location'
    | 'Retry-After'
    | 'RateLimit'
    | 'RateLimit-Policy'
    | 'Idempotency-Replayed'
    | 'Content-Disposition'
  )[]
  /** Media types that `Accept` may choose instead; their bodies are no JSON. */
  readonly otherTypes?: readonly string[]
  readonly example?: unknown
}

export type Route = {
  /** One line for the API description. */
  readonly summary: string
  readonly description?: string
  readonly access: Access
  /** Members of the path template; all strings. A value that fails is 404 `not_found`. */
  readonly params?: ObjectSchema
  /** Documented names only, each once; what is unknown, repeated or wrong is 400 `invalid_request`. */
  readonly query?: ObjectSchema
  /** Absent: the body is never read; one that arrives is drained within bounds and ignored. */
  readonly body?: BodySpec
  /** The request header `Idempotency-Key` is read (400 where its form is wrong) and handed on. */
  readonly idempotent?: true
  readonly replies: Readonly<Record<number, ReplySpec>>
  /** Codes that this route adds to those that any request can end with. */
  readonly problems: readonly ProblemCode[]
  /** Whole request, milliseconds; 15,000 unless stated, 300,000 for uploads (DATA-04, UP-14). */
  readonly deadlineMs?: number
}

export type Endpoint<R extends Routes = Routes> = {
  /** Name of the Cloud Function and of its file in `functions/`. */
  readonly name: string
  readonly routes: R
}
export type Routes = { readonly [key: RouteKey]: Route }

/** Keeps the literal types of the routes, so that handlers are typed from them. */
export function defineEndpoint<const R extends Routes>(endpoint: Endpoint<R>): Endpoint<R> {
  return endpoint
}

/** A JSON body; `example` is one that works. */
export function jsonBody<T>(
  schema: Schema<T>,
  example?: NoInfer<T>,
): JsonBody<T> & { readonly required: true } {
  return { kind: 'json', schema, required: true, ...(example === undefined ? {} : { example }) }
}
/** A JSON body that may be empty. */
export function optionalJsonBody<T>(
  schema: Schema<T>,
  example?: NoInfer<T>,
): JsonBody<T> & { readonly required: false } {
  return { kind: 'json', schema, required: false, ...(example === undefined ? {} : { example }) }
}

/** The photo within a request, while its bytes arrive. */
export type IncomingPhoto = {
  /** The client's file name as it was sent, undefined for a raw body or where none was given. */
  readonly fileName: string | undefined
  /**
   * The file's bytes. Ends only once the whole request was read and found well formed; fails with
   * ProblemError malformed_multipart | too_many_files | photo_too_large | request_timeout | … otherwise.
   */
  readonly stream: Readable
}
export type PhotoRequest = {
  /** Announced bytes of the request body (`Content-Length`), undefined where it is chunked. */
  readonly announcedBytes: number | undefined
  /** Starts reading (and answers `100-continue`). Fails with file_missing and the like before the first byte of a file. */
  receive(): Promise<IncomingPhoto>
}

/** The network address of the caller (RL-06), normalised; undefined only where the socket is gone. */
export type ClientAddress = string

type BodyOf<R extends Route> = R['body'] extends PhotoBody
  ? PhotoRequest
  : R['body'] extends {
        readonly kind: 'json'
        readonly schema: infer S
        readonly required: infer Q
      }
    ? Q extends true
      ? Infer<S>
      : Infer<S> | undefined
    : undefined

/** What is logged besides the request line: stable names, ids and codes, never names, tokens or bodies (AUTH-08). */
export type SecurityEvent = (
  event: string,
  fields?: Readonly<Record<string, string | number | boolean>>,
  severity?: 'INFO' | 'NOTICE' | 'WARNING' | 'ERROR' | 'ALERT',
) => void

export type Request<R extends Route = Route> = {
  /** `X-Request-Id`. */
  readonly id: string
  /** The instance's clock at the start of the request. */
  readonly now: Date
  readonly address: ClientAddress
  /** Aborted when the client is gone, the deadline has passed or the process must end. */
  readonly signal: AbortSignal
  /** Absolute base of this service's addresses where `PUBLIC_URL` is set, without a final slash. */
  readonly publicUrl: string | undefined
  readonly params: R['params'] extends ObjectSchema ? Infer<R['params']> : undefined
  readonly query: R['query'] extends ObjectSchema ? Infer<R['query']> : undefined
  readonly body: BodyOf<R>
  /** The token of `Authorization: Bearer`, unchecked; undefined without the header. */
  readonly bearer: string | undefined
  readonly caller: R['access'] extends 'anyone' ? undefined : Caller
  readonly idempotencyKey: R['idempotent'] extends true ? string | undefined : undefined
  /** The first of the offered media types that `Accept` takes best; 406 `not_acceptable` where none fits. */
  accepts<const T extends string>(offered: readonly T[]): T
  readonly event: SecurityEvent
}

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [member: string]: Json | undefined }
export type Reply = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
} & (
  | { readonly body?: Json }
  | { readonly content: string | Buffer; readonly contentType: string }
  | { readonly chunks: AsyncIterable<string>; readonly contentType: string }
)

export type Handlers<R extends Routes> = {
  readonly [K in keyof R & RouteKey]: (request: Request<R[K]>) => Promise<Reply>
}

/** Turns an access token into its caller; given to `serve` by each function that has a route with access other than `anyone`. */
export type Identify = (
  accessToken: string,
  context: Pick<Request, 'now' | 'address' | 'signal' | 'event'>,
) => Promise<Caller>
