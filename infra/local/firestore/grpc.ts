import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import { gunzipSync, inflateSync } from 'node:zlib'
import { CODES, invalid, StatusError } from './status.ts'

/*
 * gRPC over HTTP/2 (github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), the server's half:
 * a message is one flag byte (1 = compressed), four bytes of length, and the protobuf bytes; the
 * status comes in trailers. Spoken directly over node:http2, since whole result sets can then
 * leave in a few large writes, where a write for each message is the larger part of a query's time.
 */

/** Production refuses requests above 10 MiB. */
const MAX_REQUEST_BYTES = 10 * 1024 * 1024
/** Beyond this the rest of a refused request is not even read away. */
const MAX_DRAINED_BYTES = 64 * 1024 * 1024
const WRITE_BYTES = 64 * 1024
const WINDOW_BYTES = 4 * 1024 * 1024
const CLOSE_GRACE_MS = 300

const HEADERS: OutgoingHttpHeaders = { ':status': 200, 'content-type': 'application/grpc' }
const RESPONSE = { waitForTrailers: true, sendDate: false }
const OK_TRAILERS: OutgoingHttpHeaders = { 'grpc-status': '0' }

export type Call = {
  /** Ends when the client has gone or the call is over. */
  readonly signal: AbortSignal
  /** Sends one message; awaiting it keeps to the client's pace. */
  send(message: Buffer): Promise<void> | undefined
}

/** Reads one request message and sends one answer or many. A StatusError becomes the call's status. */
export type Method = (request: Buffer, call: Call) => Promise<void>

class ServerCall implements Call {
  readonly #stream: ServerHttp2Stream
  #controller: AbortController | undefined
  #ended = false
  #pending: Buffer[] = []
  #pendingBytes = 0

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController()
      if (this.#stream.destroyed) controller.abort()
      else
        this.#stream.once('close', () => {
          if (!this.#ended) controller.abort()
        })
      this.#controller = controller
    }
    return this.#controller.signal
  }

  send(message: Buffer): Promise<void> | undefined {
    const frame = Buffer.allocUnsafe(5)
    frame[0] = 0
    frame.writeUInt32BE(message.length, 1)
    this.#pending.push(frame, message)
    this.#pendingBytes += message.length + 5
    return this.#pendingBytes < WRITE_BYTES ? undefined : this.#flush()
  }

  /** Only when there is something to send: headers and body then leave in one packet. */
  #respond(): void {
    if (!this.#stream.headersSent) this.#stream.respond(HEADERS, RESPONSE)
  }

  async #flush(): Promise<void> {
    if (!this.#stream.destroyed) this.#respond()
    const ready = this.#stream.destroyed || this.#stream.write(this.#take())
    if (!ready) await drained(this.#stream)
    if (this.#stream.destroyed) throw new StatusError('CANCELLED', 'The caller has gone.')
  }

  #take(): Buffer {
    const bytes = Buffer.concat(this.#pending)
    this.#pending = []
    this.#pendingBytes = 0
    return bytes
  }

  /** Headers always go out before an error: without them clients repeat streaming calls for seconds, whatever the code. */
  end(code: number, message: string): void {
    const stream = this.#stream
    this.#ended = true
    if (stream.destroyed) return
    this.#respond()
    stream.on('wantTrailers', () => {
      stream.sendTrailers(code === CODES.OK ? OK_TRAILERS : errorTrailers(code, message))
    })
    if (code !== CODES.OK) this.#pending = []
    if (this.#pending.length > 0) stream.end(this.#take())
    else stream.end()
  }
}

function errorTrailers(code: number, message: string): OutgoingHttpHeaders {
  const details = message === '' ? {} : { 'grpc-message': encodeURI(message.toWellFormed()) }
  return { 'grpc-status': String(code), ...details }
}

async function drained(stream: ServerHttp2Stream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  stream.once('drain', resolve)
  stream.once('close', resolve)
  await promise
  stream.off('drain', resolve)
  stream.off('close', resolve)
}

function inflate(body: Buffer, encoding: string | undefined): Buffer {
  const limit = { maxOutputLength: MAX_REQUEST_BYTES }
  try {
    if (encoding === 'gzip') return gunzipSync(body, limit)
    if (encoding === 'deflate') return inflateSync(body, limit)
  } catch (error) {
    throw invalid(`The compressed request cannot be read: ${String(error)}`)
  }
  throw new StatusError('UNIMPLEMENTED', `The compression "${encoding}" is not supported.`)
}

function unframe(bytes: Buffer, encoding: string | undefined): Buffer {
  if (bytes.length < 5 || bytes.readUInt32BE(1) !== bytes.length - 5)
    throw invalid('The request is not one whole gRPC message.')
  const body = bytes.subarray(5)
  return bytes[0] === 0 ? body : inflate(body, encoding)
}

/** The whole request; rejects with INVALID_ARGUMENT as soon as it is too large. */
async function receive(stream: ServerHttp2Stream): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= MAX_REQUEST_BYTES + 5) chunks.push(chunk)
    else reject(invalid(`The request is larger than ${MAX_REQUEST_BYTES} bytes.`))
    if (bytes > MAX_DRAINED_BYTES) stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
  })
  stream.on('end', () =>
    resolve(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)),
  )
  stream.on('close', () => {
    if (!stream.readableEnded) reject(new StatusError('CANCELLED', 'The caller has gone.'))
  })
  return promise
}

export class GrpcServer {
  readonly #server: Http2Server
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #methods: ReadonlyMap<string, Method>
  readonly #report: (path: string, error: unknown) => StatusError

  /** `report` turns whatever a method threw into the status to send, and logs what nobody expected. */
  constructor(
    methods: ReadonlyMap<string, Method>,
    report: (path: string, error: unknown) => StatusError,
  ) {
    this.#methods = methods
    this.#report = report
    const settings = { initialWindowSize: WINDOW_BYTES }
    this.#server = createServer({ settings, maxSessionMemory: 1024 })
    this.#server.on('connection', (socket: Socket) => socket.setNoDelay(true))
    this.#server.on('session', (session) => this.#open(session))
    this.#server.on('stream', (stream, headers) => this.#accept(stream, headers))
  }

  /** Resolves with the port; rejects when the port is taken. */
  async listen(host: string, port: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject)
    this.#server.listen(port, host, resolve)
    await promise
    this.#server.off('error', reject)
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  /** Lets running calls end for a moment, then cuts what is left. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const session of this.#sessions) session.close()
    const timer = setTimeout(() => {
      for (const session of this.#sessions) session.destroy()
    }, CLOSE_GRACE_MS)
    await closed
    clearTimeout(timer)
  }

  #open(session: ServerHttp2Session): void {
    this.#sessions.add(session)
    session.on('close', () => this.#sessions.delete(session))
    session.on('error', () => session.destroy())
    session.setLocalWindowSize(WINDOW_BYTES)
  }

  #accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => stream.destroy())
    const path = String(headers[':path'])
    if (!String(headers['content-type']).startsWith('application/grpc')) {
      stream.respond({ ':status': 415 }, { endStream: true })
      return
    }
    const encoding = headers['grpc-encoding']
    void this.#serve(stream, path, typeof encoding === 'string' ? encoding : undefined)
  }

  async #serve(
    stream: ServerHttp2Stream,
    path: string,
    encoding: string | undefined,
  ): Promise<void> {
    const call = new ServerCall(stream)
    try {
      const method = this.#methods.get(path)
      if (method === undefined)
        throw new StatusError('UNIMPLEMENTED', `${path} is not served here.`)
      await method(unframe(await receive(stream), encoding), call)
      call.end(CODES.OK, '')
    } catch (error) {
      const status = this.#report(path, error)
      call.end(status.code, status.message)
      stream.resume()
    }
  }
}
