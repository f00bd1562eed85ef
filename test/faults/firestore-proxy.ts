/** Between the Firestore SDK and a server: faults by RPC name (`Commit`, `BatchGetDocuments`, …). */
import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { type FaultProxy, FaultRules } from './fault.ts'

function methodOf(headers: IncomingHttpHeaders): string {
  return (
    String(headers[':path'] ?? '')
      .split('/')
      .at(-1) ?? ''
  )
}

function answerWith(stream: ServerHttp2Stream, code: number): void {
  if (stream.destroyed) return
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc+proto',
      'grpc-status': String(code),
      'grpc-message': 'injected',
    },
    { endStream: true },
  )
}

/** Copies a reply with its trailers. */
function passReply(upstream: ClientHttp2Stream, stream: ServerHttp2Stream): void {
  let trailers: IncomingHttpHeaders = {}
  upstream.on('trailers', (received) => {
    trailers = received
  })
  upstream.on('response', (headers, flags) => {
    if (stream.destroyed) return
    const whole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
    stream.respond(headers, whole ? { endStream: true } : { waitForTrailers: true })
    if (whole) return
    stream.on('wantTrailers', () => stream.sendTrailers(trailers))
    upstream.pipe(stream)
  })
}

function loseReply(upstream: ClientHttp2Stream, stream: ServerHttp2Stream): void {
  upstream.resume()
  upstream.on('close', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR))
}

function forward(
  session: ClientHttp2Session,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  lost: boolean,
): void {
  if (stream.destroyed) return
  const upstream = session.request(headers)
  upstream.on('error', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR))
  stream.on('close', () => upstream.destroyed || upstream.close(constants.NGHTTP2_CANCEL))
  stream.pipe(upstream)
  if (lost) loseReply(upstream, stream)
  else passReply(upstream, stream)
}

/** One connection to the server; a new one where the server was killed. */
function openUpstream(target: string) {
  let session: ClientHttp2Session | undefined
  return {
    current: () => {
      if (session === undefined || session.destroyed || session.closed) {
        session = connect(`http://${target}`)
        session.on('error', () => undefined)
      }
      return session
    },
    close: () => session?.destroy(),
  }
}

export async function openFirestoreProxy(target: string): Promise<FaultProxy> {
  const rules = new FaultRules()
  const upstream = openUpstream(target)
  const sessions = new Set<ServerHttp2Session>()
  let open = 0
  const server = createServer()
  server.on('session', (incoming) => {
    sessions.add(incoming)
    incoming.on('close', () => sessions.delete(incoming)).on('error', () => undefined)
  })
  server.on('stream', (stream, headers) => {
    open += 1
    stream.on('close', () => {
      open -= 1
    })
    stream.on('error', () => undefined)
    const fault = rules.take(methodOf(headers))
    if (fault?.kind === 'answer') answerWith(stream, fault.code)
    else if (fault?.kind === 'cut') stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    else if (fault?.kind === 'delay') {
      setTimeout(() => forward(upstream.current(), stream, headers, false), fault.milliseconds)
    } else if (fault?.kind === 'hold') {
      void fault.until.then(() => forward(upstream.current(), stream, headers, false))
    } else if (fault?.kind !== 'hang') {
      forward(upstream.current(), stream, headers, fault?.kind === 'lose-reply')
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no address')
  return {
    host: `127.0.0.1:${address.port}`,
    rules,
    open: () => open,
    close: async () => {
      for (const incoming of sessions) incoming.destroy()
      upstream.close()
      server.close()
      await once(server, 'close')
    },
  }
}
