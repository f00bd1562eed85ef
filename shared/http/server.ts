/** The HTTP server itself: its limits, `100 Continue`, and answers to what the parser refuses (HTTP-06, §4.3 steps 2 and 6). */
import { randomUUID } from 'node:crypto'
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { isNativeError } from 'node:util/types'
import { type ProblemCode, ProblemError } from '../domain/problem.ts'
import { Exchange } from './exchange.ts'
import { InFlight } from './lifecycle.ts'
import type { Log } from './log.ts'
import type { Delegate, Pipeline } from './pipeline.ts'
import { problemForm, problemReply } from './problem.ts'
import { standingHeaders } from './reply.ts'
import { PARSER_HEAD_BYTES } from './request-head.ts'

const HEADERS_MS = 10_000
const KEEP_ALIVE_MS = 60_000
const CHECK_MS = 1000
/** How long a refused connection is still read, milliseconds. */
const LINGER_MS = 2000

export type ServingOptions = {
  readonly pipeline: Pipeline
  readonly delegate: Delegate
  readonly log: Log
  readonly deployed: boolean
}
export type Serving = { readonly server: Server; readonly inFlight: InFlight }

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** A request line alone is too long where no line ended before the parser gave up. */
function targetIsTooLong(error: Error): boolean {
  const packet = 'rawPacket' in error && Buffer.isBuffer(error.rawPacket) ? error.rawPacket : ''
  return /^[A-Z]+ [^\s]{2049}/.test(packet.toString('latin1', 0, 4096))
}

function problemCodeOf(error: Error): ProblemCode {
  switch (codeOf(error)) {
    case 'HPE_HEADER_OVERFLOW':
      return targetIsTooLong(error) ? 'uri_too_long' : 'headers_too_large'
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 'body_too_large'
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'request_timeout'
    default:
      return 'invalid_request'
  }
}

function rawAnswer(problem: ProblemError, id: string, deployed: boolean): string {
  const reply = problemReply(problem, id)
  const headers = {
    ...standingHeaders(id, deployed),
    ...reply.headers,
    Date: new Date().toUTCString(),
    'Content-Length': Buffer.byteLength(reply.content),
    Connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const reason = http.STATUS_CODES[reply.status] ?? ''
  return `HTTP/1.1 ${reply.status} ${reason}\r\n${lines.join('')}\r\n${reply.content}`
}

/** Answers what never became a request. */
function refuseConnection(socket: Duplex, problem: ProblemError, options: ServingOptions): void {
  const id = randomUUID()
  socket.end(rawAnswer(problem, id, options.deployed))
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
  const { status } = problemForm(problem.code)
  const request = {
    function: undefined,
    method: '-',
    path: '-',
    status,
    milliseconds: 0,
    userAgent: undefined,
    code: problem.code,
  }
  options.log({
    severity: 'INFO',
    event: 'request',
    message: `unreadable request ${status}`,
    requestId: id,
    request,
  })
}

/** A server that hands every request to the pipeline. */
export function createServing(options: ServingOptions): Serving {
  const inFlight = new InFlight()
  const latest = new WeakMap<Duplex, Exchange>()
  const refused = new WeakSet<Duplex>()
  const server = new http.Server({
    // Time for a body is the route's own: `Exchange.limit` and UP-14.
    requestTimeout: 0,
    headersTimeout: HEADERS_MS,
    connectionsCheckingInterval: CHECK_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: PARSER_HEAD_BYTES,
    // Node's own answer to a missing Host has none of our headers.
    requireHostHeader: false,
  })
  const accept = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) => {
    const ending = () => inFlight.ending
    const exchange = new Exchange(request, response, { expectsContinue, ending })
    latest.set(request.socket, exchange)
    inFlight.add(exchange, options.pipeline.serve(exchange, options.delegate))
  }
  server.on('request', (request, response) => accept(request, response, false))
  server.on('checkContinue', (request, response) => accept(request, response, true))
  server.on('checkExpectation', (request, response) => accept(request, response, false))
  server.on('clientError', (error: unknown, socket) => {
    const failure = isNativeError(error) ? error : new Error('unreadable request')
    if (['ECONNRESET', 'EPIPE'].includes(codeOf(failure)) || !socket.writable) socket.destroy()
    else refuse(socket, new ProblemError(problemCodeOf(failure)))
  })
  const refuse = (socket: Duplex, problem: ProblemError) => {
    const exchange = latest.get(socket)
    if (exchange?.request.complete === false) return exchange.abort(problem)
    // A request that was read before the garbage keeps its answer.
    if (exchange?.answered === false) exchange.lastOfConnection = true
    if (refused.has(socket) || exchange?.answered === false) return undefined
    refused.add(socket)
    return refuseConnection(socket, problem, options)
  }
  return { server, inFlight }
}
