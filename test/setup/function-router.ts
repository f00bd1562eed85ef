/** One address in front of functions that each run in their own process, as Hosting is when deployed. */
import { type ForwardingServer, openForwardingServer } from './forwarding-server.ts'

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
): Promise<ForwardingServer> {
  return await openForwardingServer(({ url = '' }) => {
    const { pathname } = new URL(url, 'http://router')
    return addresses.get(ownerOf(pathname)) ?? ''
  })
}
