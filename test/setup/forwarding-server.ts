/** A server on the loopback that passes every request on as it is. */
import { once } from 'node:events'
import { createServer, request as forward, type IncomingMessage } from 'node:http'

export type ForwardingServer = { readonly url: string; close(): Promise<void> }

/** `baseOf` says to which base URL a request goes. */
export async function openForwardingServer(
  baseOf: (incoming: IncomingMessage) => string,
): Promise<ForwardingServer> {
  const server = createServer((incoming, outgoing) => {
    const onward = forward(`${baseOf(incoming)}${incoming.url}`, {
      method: incoming.method ?? 'GET',
      headers: incoming.headers,
    })
    onward.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
