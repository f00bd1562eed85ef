/** Which problem codes a route can end with, its own and those of every request. */
import type { ProblemCode } from '../../shared/domain/problem.ts'
import type { Route } from '../../shared/http/endpoint.ts'
import { problemForm } from '../../shared/http/problem.ts'

const ANY_REQUEST: readonly ProblemCode[] = [
  'invalid_request',
  'method_not_allowed',
  'not_acceptable',
  'request_timeout',
  'body_too_large',
  'uri_too_long',
  'content_encoding_refused',
  'headers_too_large',
  'internal',
  'unavailable',
]
const SIGNED_IN: readonly ProblemCode[] = [
  'token_missing',
  'token_invalid',
  'token_expired',
  'session_ended',
  'refresh_token_reused',
]
const JSON_BODY: readonly ProblemCode[] = ['malformed_json', 'unsupported_media_type']
const PHOTO_BODY: readonly ProblemCode[] = [
  'malformed_multipart',
  'file_missing',
  'file_empty',
  'too_many_files',
  'photo_too_large',
  'unsupported_media_type',
]

function ofBody(route: Route): readonly ProblemCode[] {
  if (route.body === undefined) return []
  return route.body.kind === 'json' ? JSON_BODY : PHOTO_BODY
}

/** Every code that the route can answer with, by status in ascending order, each code once. */
export function problemsOf(route: Route): ReadonlyMap<number, readonly ProblemCode[]> {
  const codes = new Set<ProblemCode>([
    ...ANY_REQUEST,
    ...(route.access === 'anyone' ? [] : SIGNED_IN),
    ...(route.access === 'admin' ? (['admin_required'] as const) : []),
    ...ofBody(route),
    ...(route.params === undefined ? [] : (['not_found'] as const)),
    ...route.problems,
  ])
  const byStatus = Map.groupBy([...codes].sort(), (code) => problemForm(code).status)
  return new Map([...byStatus].sort(([a], [b]) => a - b))
}
