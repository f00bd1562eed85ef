/** One address in front of functions that each run in their own process, as Hosting is when deployed. */
import { once } from 'node:events'
import { createServer, request as forward } from 'node:http'

export type FunctionRouter = { readonly url: string; close(): Promise<void> }

const OWNERS: readonly (readonly [RegExp, string])[] = [
  [/^\/registration$/, 'register'],
  [/^\/login$/, 'login'],
  [/^\/token\/refresh$/, 'refresh'],
  [/^\/logout\/access$/, 'logout-access'],
  [/^\/logout\/refresh$/, 'logout-refresh'],
  [/^\/users$/, 'users'],
  [/^\/file$/, 'upload'],
  [/^\/photos(\/.*)?$/, 'photos'],
  [/^\/uploads(\/.*)?$/, 'uploads'],
  [/^\/sessions(\/.*)?$/, 'sessions'],
  [/^\/account(\/.*)?$/, 'account'],
  [/^\/\.well-known\/jwks\.json$/, 'jwks'],
]

export const ROUTED_FUNCTIONS = ['welcome', ...OWNERS.map(([, name]) => name)]

function ownerOf(path: string): string {
  return OWNERS.find(([pattern]) => pattern.test(path))?.[1] ?? 'welcome'
}

/** Forwards each request to the function that owns its path; `addresses` maps names to base URLs. */
export async function openFunctionRouter(
  addresses: ReadonlyMap<string, string>,
): Promise<FunctionRouter> {
  const server = createServer((incoming, outgoing) => {
    const path = new URL(incoming.url ?? '/', 'http://router').pathname
    const target = addresses.get(ownerOf(path))
    const onward = forward(`${target}${incoming.url}`, {
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
