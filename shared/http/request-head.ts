/** The head of a request: the rules of HTTP itself, before any route is asked (UP-01, HTTP-06). */
import type { IncomingMessage } from 'node:http'
import { ProblemError } from '../domain/problem.ts'

/** Longest request target, bytes; more is 414. */
const MAX_TARGET_LENGTH = 2048
/** Largest head that is served, bytes; more is 431. Node itself reads up to `PARSER_HEAD_BYTES`, to tell 414 from 431. */
const MAX_HEAD_BYTES = 16 * 1024
export const PARSER_HEAD_BYTES = 32 * 1024
const MAX_HEADER_LINES = 100
/** Of these a second line could mean something else to the next reader. */
const SINGLE = ['host', 'authorization', 'content-type', 'content-encoding', 'idempotency-key']

export type RequestHead = {
  /** As it was sent, without query; starts with a slash unless it is no path at all. */
  readonly path: string
  /** What follows the first question mark, undefined without one. */
  readonly queryText: string | undefined
  /** The value of a header, all its lines joined by a comma. */
  header(name: string): string | undefined
  /** `Content-Length`; undefined without one. */
  readonly announcedBytes: number | undefined
  readonly chunked: boolean
}

function linesOf(rawHeaders: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const lines = new Map<string, readonly string[]>()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    lines.set(name, [...(lines.get(name) ?? []), rawHeaders[index + 1] ?? ''])
  }
  return lines
}

/** The path of a target in origin form or absolute form (RFC 9112 §3.2). */
function pathOf(target: string): string {
  const [, absolute] = /^https?:\/\/[^/?#]*(.*)$/i.exec(target) ?? []
  const relative = absolute === undefined ? target : absolute
  const path = relative.split('?', 1)[0] ?? ''
  return path === '' && absolute !== undefined ? '/' : path
}

/** Reads the head of a request. Pure; refuses nothing. */
export function readHead(request: IncomingMessage): RequestHead {
  const lines = linesOf(request.rawHeaders)
  const target = request.url ?? ''
  const question = target.indexOf('?')
  const length = lines.get('content-length')?.[0]
  return {
    path: pathOf(target),
    queryText: question < 0 ? undefined : target.slice(question + 1),
    header: (name) => lines.get(name)?.join(', '),
    announcedBytes: length === undefined ? undefined : Number(length),
    chunked: lines.has('transfer-encoding'),
  }
}

function hostIsWrong(request: IncomingMessage, hosts: number): boolean {
  return request.httpVersion === '1.0' ? hosts > 1 : hosts !== 1
}

/** Throws where HTTP itself is refused: `uri_too_long`, `headers_too_large`, `invalid_request`. */
export function refuseHead(request: IncomingMessage): void {
  const target = request.url ?? ''
  if (Buffer.byteLength(target) > MAX_TARGET_LENGTH) throw new ProblemError('uri_too_long')
  const { rawHeaders } = request
  const bytes = rawHeaders.reduce((sum, text) => sum + text.length + 2, target.length)
  if (bytes > MAX_HEAD_BYTES || rawHeaders.length > 2 * MAX_HEADER_LINES) {
    throw new ProblemError('headers_too_large')
  }
  const lines = linesOf(rawHeaders)
  if (hostIsWrong(request, lines.get('host')?.length ?? 0)) {
    throw new ProblemError('invalid_request', { detail: 'Exactly one Host header is required' })
  }
  const repeated = SINGLE.find((name) => (lines.get(name)?.length ?? 0) > 1)
  if (repeated !== undefined) {
    throw new ProblemError('invalid_request', { detail: `The header ${repeated} may be sent once` })
  }
}
