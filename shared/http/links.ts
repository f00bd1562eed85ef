/** Where each endpoint is: below `PUBLIC_URL`, or at its function's own address (contract 1). */

const PLACES = [
  ['registration', 'register', '/registration'],
  ['login', 'login', '/login'],
  ['refresh', 'refresh', '/token/refresh'],
  ['logout_access', 'logout-access', '/logout/access'],
  ['logout_refresh', 'logout-refresh', '/logout/refresh'],
  ['upload', 'upload', '/file'],
  ['uploads', 'uploads', '/uploads'],
  ['photos', 'photos', '/photos'],
  ['sessions', 'sessions', '/sessions'],
  ['account', 'account', '/account'],
  ['users', 'users', '/users'],
  ['jwks', 'jwks', '/.well-known/jwks.json'],
] as const

/** Link name to absolute address; a function whose address is not known is left out. */
export function linksOf(
  publicUrl: string | undefined,
  functionUrls: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> {
  const known = PLACES.flatMap(([name, functionName, path]) => {
    const origin = publicUrl ?? functionUrls.get(functionName)
    return origin === undefined ? [] : [[name, `${origin}${path}`] as const]
  })
  return Object.fromEntries(known)
}
