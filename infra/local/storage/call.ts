import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Cloud } from './cloud.ts'
import { refusedBecause } from './errors.ts'
import { type JsonObject, parseJsonObject } from './json.ts'
import { collect } from './pump.ts'

/** One request on its way through the server. */
export type Call = {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly method: string
  /** As sent, still percent-encoded, without the query. */
  readonly path: string
  /** As sent, without the `?`. */
  readonly search: string
  readonly query: URLSearchParams
  /** `http://host:port` as the client addressed this server; links in answers start with it. */
  readonly base: string
  readonly cloud: Cloud
}

/** Limit of any JSON that a client sends. */
const MAX_JSON_BYTES = 1024 * 1024

/** A request header that may stand once; several are joined as HTTP allows. */
export function header(call: Call, name: string): string | undefined {
  const value = call.req.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** The request body as a JSON object; no body is `{}`. */
export async function readJson(call: Call): Promise<JsonObject> {
  const body = await collect(call.req, MAX_JSON_BYTES, call.cloud.pace)
  const source = body.toString('utf8')
  return source.trim() === '' ? {} : parseJsonObject(source, 'The request body')
}

export function sendJson(
  call: Call,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(JSON.stringify(value))
  call.res.writeHead(status, {
    'Content-Type': 'application/json; charset=UTF-8',
    'Content-Length': body.length,
    'Cache-Control': 'no-cache, no-store, max-age=0, must-revalidate',
    ...headers,
  })
  call.res.end(body)
}

/** An answer without a body. */
export function sendEmpty(
  call: Call,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  const length = status === 204 || status === 304 ? {} : { 'Content-Length': '0' }
  call.res.writeHead(status, { ...length, ...headers })
  call.res.end()
}

/** Decodes one percent-encoded path segment; else 400. */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (cause) {
    throw refusedBecause(cause, 'invalid', 'The address holds a broken percent escape.')
  }
}
