/** A TCP proxy before the local Firestore that loses the reply to one request, after the server has done it. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type LossyProxy = {
  /** `host:port` for `FIRESTORE_EMULATOR_HOST`. */
  readonly host: string
  /** The next request whose bytes hold this text gets no reply: its connection is cut once the server had time to answer. */
  loseReplyTo(text: string): void
  /** How many replies were lost. */
  lost(): number
  close(): Promise<void>
}

/** Long enough for the local server to commit, short enough for a test. */
const CUT_AFTER_MS = 250

export async function openLossyProxy(target: { host: string; port: number }): Promise<LossyProxy> {
  let wanted: string | undefined
  let lost = 0
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host)
    let silent = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    }
    const cut = () => {
      client.destroy()
      upstream.destroy()
    }
    client.on('data', (chunk) => {
      if (wanted !== undefined && chunk.includes(wanted)) {
        wanted = undefined
        lost += 1
        silent = true
        setTimeout(cut, CUT_AFTER_MS)
      }
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => {
      if (!silent) client.write(chunk)
    })
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  return {
    host: `127.0.0.1:${address.port}`,
    loseReplyTo: (text) => {
      wanted = text
    },
    lost: () => lost,
    close: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
