import { expect, inject, test } from 'vitest'
import { baseUrl, call, register, signIn } from './client.ts'

test('welcome says where everything is', async () => {
  const welcome = await call('GET', '/')

  expect(welcome.status).toBe(200)
  expect(welcome.body['message']).toBe('Welcome To Wowmedia Project')
  expect(Object.keys(welcome.part('links'))).toEqual(
    expect.arrayContaining(['registration', 'login', 'refresh', 'upload', 'photos']),
  )
})

test('a browser gets the console page under a strict policy', async () => {
  const page = await fetch(baseUrl, {
    headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
  })

  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'self'/,
  )
  expect(await page.text()).toContain('<title>Wowmedia</title>')
})

test('the public keys have no private member and may be cached', async () => {
  const keys = await call('GET', '/.well-known/jwks.json')

  expect(keys.headers.get('cache-control')).toBe('public, max-age=300')
  for (const key of keys.list('keys')) {
    expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' })
    expect(key).not.toHaveProperty('d')
  }
  expect(keys.list('keys').length).toBeGreaterThan(0)
})

test('users are listed for admins only, and deleting all can be counted first', async () => {
  const user = await register()
  const { username, password } = inject('admin')
  const admin = await signIn(username, password)

  const refused = await call('GET', '/users', { token: user.access })
  const listed = await call('GET', '/users?page_size=2', { token: admin.access })
  const counted = await call('DELETE', '/users?dry_run=true', { token: admin.access })

  expect(refused.status).toBe(403)
  expect(refused.body['code']).toBe('admin_required')
  const [first] = listed.list('users')
  expect(Object.keys(first ?? {}).toSorted()).toEqual([
    'created_at',
    'id',
    'photo_count',
    'role',
    'username',
  ])
  expect(counted.status).toBe(200)
  expect(counted.body).toMatchObject({ users: expect.any(Number), sessions: expect.any(Number) })
  expect((await call('GET', '/account', { token: user.access })).status).toBe(200)
})

const POSTMAN_CALLS = [
  { method: 'GET', path: '/account' },
  { method: 'GET', path: '/sessions' },
  { method: 'GET', path: '/photos' },
  { method: 'POST', path: '/token/refresh' },
  { method: 'POST', path: '/logout/access' },
]

test.for(POSTMAN_CALLS)(
  'a client that declares JSON and sends nothing is served: $method $path',
  async ({ method, path }) => {
    const user = await register()
    const token = path === '/token/refresh' ? user.refresh : user.access

    const given = await call(method, path, {
      token,
      headers: { 'content-type': 'application/json' },
    })

    expect(given.status).toBe(200)
  },
)

const ERRORS = [
  { method: 'GET', path: '/nowhere', status: 404, code: 'not_found' },
  { method: 'PUT', path: '/login', status: 405, code: 'method_not_allowed' },
  { method: 'GET', path: '/account', status: 401, code: 'token_missing' },
  { method: 'GET', path: '/photos?page=2', status: 401, code: 'token_missing' },
  { method: 'DELETE', path: '/users', status: 401, code: 'token_missing' },
]

test.for(ERRORS)('$method $path without a token is $status $code', async (row) => {
  const refused = await call(row.method, row.path)

  expect(refused.status).toBe(row.status)
  expect(refused.headers.get('content-type')).toBe('application/problem+json')
  expect(refused.body).toMatchObject({
    status: row.status,
    code: row.code,
    request_id: refused.headers.get('x-request-id'),
    message: refused.body['detail'],
  })
})
