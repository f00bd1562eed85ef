/** What a request says about its body, held against its route before a byte of it is read (UP-01, HTTP-02). */
import { ProblemError } from '../domain/problem.ts'
import type { BodySpec, JsonBody, PhotoBody } from './endpoint.ts'
import type { RequestHead } from './request-head.ts'

/** Largest JSON body, bytes. */
export const MAX_JSON_BYTES = 16 * 1024
/** What a request may have besides its photo, bytes (UP-03). */
export const FORM_OVERHEAD_BYTES = 64 * 1024
/** Largest body that a route without one ignores, bytes. */
const MAX_IGNORED_BYTES = 1024 * 1024
/** RFC 2046 §5.1.1. */
const MAX_BOUNDARY_LENGTH = 70

export type MediaType = { readonly type: string; readonly parameters: ReadonlyMap<string, string> }

/** A `Content-Type` taken apart, lower case but for values; undefined where it is none. */
export function parseMediaType(text: string | undefined): MediaType | undefined {
  const [, type, rest = ''] =
    /^\s*([!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+)\s*(;.*)?$/.exec(text ?? '') ?? []
  if (type === undefined) return undefined
  const pairs = rest.matchAll(/;\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/g)
  const parameters = new Map<string, string>()
  for (const [, name = '', quoted, plain = ''] of pairs) {
    parameters.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? plain)
  }
  return { type: type.toLowerCase(), parameters }
}

/** True for `application/json`, its charset absent or utf-8. */
export function isJson(contentType: string | undefined): boolean {
  const media = parseMediaType(contentType)
  const charset = media?.parameters.get('charset')?.toLowerCase() ?? 'utf-8'
  return media?.type === 'application/json' && charset === 'utf-8'
}

function refuseJson(head: RequestHead, body: JsonBody<unknown>): void {
  const bytes = head.announcedBytes ?? 0
  // A chunked body that may be empty is known to be so only once it was read.
  const given = bytes > 0 || (head.chunked && body.required)
  if (given && !isJson(head.header('content-type'))) {
    throw new ProblemError('unsupported_media_type', { detail: 'Send application/json' })
  }
  if (bytes > MAX_JSON_BYTES) throw new ProblemError('body_too_large')
}

function refuseForm(media: MediaType): void {
  const boundary = media.parameters.get('boundary') ?? ''
  if (boundary.length === 0 || boundary.length > MAX_BOUNDARY_LENGTH) {
    const detail = `The form needs a boundary of 1 to ${MAX_BOUNDARY_LENGTH} characters`
    throw new ProblemError('malformed_multipart', { detail })
  }
}

function refusePhoto(head: RequestHead, body: PhotoBody): void {
  const media = parseMediaType(head.header('content-type'))
  const form = media?.type === 'multipart/form-data'
  const raw = media?.type.startsWith('image/') || media?.type === 'application/octet-stream'
  if (media === undefined || (!form && !raw)) {
    const detail = 'Send multipart/form-data with a part file, or the image itself as image/*'
    throw new ProblemError('unsupported_media_type', { detail })
  }
  if (form) refuseForm(media)
  const most = body.maxBytes + (form ? FORM_OVERHEAD_BYTES : 0)
  if ((head.announcedBytes ?? 0) > most) throw new ProblemError('photo_too_large')
}

/** Throws `content_encoding_refused`, `unsupported_media_type`, `body_too_large`, `photo_too_large` or `malformed_multipart`. */
export function refuseContent(head: RequestHead, body: BodySpec | undefined): void {
  const encoding = head.header('content-encoding')?.trim().toLowerCase() ?? ''
  if (encoding !== '' && encoding !== 'identity') throw new ProblemError('content_encoding_refused')
  if (body?.kind === 'photo') refusePhoto(head, body)
  else if (body?.kind === 'json') refuseJson(head, body)
  else if ((head.announcedBytes ?? 0) > MAX_IGNORED_BYTES) throw new ProblemError('body_too_large')
}

/** The client's `Idempotency-Key`, without its quotes (contract 6). Throws `invalid_request`. */
export function idempotencyKeyOf(head: RequestHead): string | undefined {
  const text = head.header('idempotency-key')?.trim()
  if (text === undefined) return undefined
  const key = /^"([^"]*)"$/.exec(text)?.[1] ?? text
  if (/^[A-Za-z0-9_-]{1,64}$/.test(key)) return key
  const message = 'must be 1 to 64 letters, digits, hyphens or underscores'
  throw new ProblemError('invalid_request', { errors: [{ field: 'Idempotency-Key', message }] })
}
