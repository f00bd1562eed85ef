/** Between the Cloud Storage SDK and a server: faults by `METHOD /path?query`. */
import { once } from 'node:events'
import {
  createServer,
  request as forward,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { type Fault, type FaultProxy, FaultRules } from './fault.ts'

function errorBody(code: number): string {
  return JSON.stringify({
    error: {
      code,
      message: 'injected',
      errors: [{ domain: 'global', reason: 'backendError', message: 'injected' }],
    },
  })
}

/** Ends the connection after so many bytes of the request's body, which the server below still got. */
function cutAfter(incoming: IncomingMessage, bytes: number): void {
  let seen = 0
  incoming.on('data', (chunk: Buffer) => {
    seen += chunk.length
    if (seen > bytes) incoming.socket.destroy()
  })
}

function pass(
  target: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault | undefined,
): void {
  const onward = forward({
    host: target.split(':')[0],
    port: target.split(':')[1],
    method: incoming.method,
    path: incoming.url,
    headers: incoming.headers,
  })
  onward.on('response', (answer) => {
    if (fault?.kind === 'lose-reply') {
      answer.resume().on('end', () => incoming.socket.destroy())
      return
    }
    outgoing.writeHead(
      answer.statusCode ?? 502,
      rewritten(answer, target, incoming.headers.host ?? ''),
    )
    answer.pipe(outgoing)
  })
  onward.on('error', () => incoming.socket.destroy())
  incoming.on('close', () => incoming.complete || onward.destroy())
  if (fault?.kind === 'cut') cutAfter(incoming, fault.afterBytes)
  incoming.pipe(onward)
}

/** A session's address leads through the proxy again. */
function rewritten(answer: IncomingMessage, target: string, own: string) {
  const { location, ...others } = answer.headers
  return location === undefined ? others : { ...others, location: location.replace(target, own) }
}

export async function openStorageProxy(targetUrl: string): Promise<FaultProxy> {
  const target = new URL(targetUrl).host
  const rules = new FaultRules()
  let open = 0
  const server = createServer((incoming, outgoing) => {
    open += 1
    outgoing.on('close', () => {
      open -= 1
    })
    incoming.on('error', () => undefined)
    const fault = rules.take(`${incoming.method} ${incoming.url}`)
    if (fault?.kind === 'answer') {
      incoming.resume()
      outgoing
        .writeHead(fault.code, { 'content-type': 'application/json', connection: 'close' })
        .end(errorBody(fault.code))
    } else if (fault?.kind === 'delay') {
      setTimeout(() => pass(target, incoming, outgoing, undefined), fault.milliseconds)
    } else if (fault?.kind === 'hold') {
      void fault.until.then(() => pass(target, incoming, outgoing, undefined))
    } else if (fault?.kind !== 'hang') pass(target, incoming, outgoing, fault)
  })
  server.requestTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no address')
  return {
    host: `127.0.0.1:${address.port}`,
    rules,
    open: () => open,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
