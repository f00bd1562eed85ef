import { expect, test } from 'vitest'
import { call, newName, register, signIn } from './client.ts'

test('registration creates the user in folded form and signs in', async () => {
  const name = newName()

  const given = await call('POST', '/registration', {
    json: { username: name.toUpperCase(), password: 'correct horse battery', device_name: 'phone' },
  })

  expect(given.status).toBe(201)
  expect(given.body).toEqual({
    message: `User ${name} was created`,
    access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
    refresh_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 600,
  })
})

test('a name is taken once, whatever its spelling', async () => {
  const { username } = await register()

  const again = await call('POST', '/registration', {
    json: { username: username.toUpperCase(), password: 'another fine secret' },
  })

  expect(again.status).toBe(409)
  expect(again.body).toMatchObject({ code: 'username_taken', retryable: false })
})

test('login gives a session of its own', async () => {
  const user = await register()

  const given = await call('POST', '/login', {
    json: { username: user.username, password: user.password },
  })

  expect(given.status).toBe(200)
  expect(given.body).toMatchObject({ message: `Logged in as ${user.username}`, expires_in: 600 })
  expect(given.text('refresh_token')).not.toBe(user.refresh)
})

test('an unknown name and a wrong password are the same answer', async () => {
  const user = await register()
  const wrong = { username: user.username, password: 'not the password' }

  const answers = await Promise.all([
    call('POST', '/login', { json: wrong }),
    call('POST', '/login', { json: { ...wrong, username: newName() } }),
  ])

  const [known, unknown] = answers.map(({ status, body }) => ({ status, ...body, request_id: '' }))
  expect(known).toEqual(unknown)
  expect(known).toMatchObject({ status: 401, code: 'invalid_credentials', sign_in_again: false })
})

const REFUSED_SIGN_UPS = [
  {
    why: 'short name',
    json: { username: 'ab', password: 'long enough secret' },
    code: 'invalid_request',
  },
  {
    why: 'short password',
    json: { username: 'someone', password: 'short' },
    code: 'invalid_request',
  },
  {
    why: 'a role',
    json: { username: 'someone', password: 'long enough secret', role: 'admin' },
    code: 'invalid_request',
  },
  { why: 'no password', json: { username: 'someone' }, code: 'invalid_request' },
  {
    why: 'common password',
    json: { username: 'someone', password: 'password123' },
    code: 'password_too_common',
  },
]

test.for(REFUSED_SIGN_UPS)('registration refuses $why', async ({ json, code }) => {
  const refused = await call('POST', '/registration', { json })

  expect(refused.body['code']).toBe(code)
})

test('refresh rotates, and a repeat with the old token gives the current one again', async () => {
  const user = await register()

  const first = await call('POST', '/token/refresh', { token: user.refresh })
  const repeat = await call('POST', '/token/refresh', { json: { refresh_token: user.refresh } })

  expect(first.status).toBe(200)
  expect(Object.keys(first.body).toSorted()).toEqual([
    'access_token',
    'expires_in',
    'refresh_token',
    'token_type',
  ])
  expect(first.text('refresh_token')).not.toBe(user.refresh)
  expect(repeat.text('refresh_token')).toBe(first.text('refresh_token'))
})

test('the refresh token in the body wins over an access token in the header', async () => {
  const user = await register()

  const given = await call('POST', '/token/refresh', {
    token: user.access,
    json: { refresh_token: user.refresh },
  })

  expect(given.status).toBe(200)
})

test('an older refresh token ends the session', async () => {
  const user = await register()
  const first = await call('POST', '/token/refresh', { token: user.refresh })
  const second = await call('POST', '/token/refresh', { token: first.text('refresh_token') })

  const reused = await call('POST', '/token/refresh', { token: user.refresh })
  const after = await call('GET', '/account', { token: second.text('access_token') })

  expect(reused.status).toBe(401)
  expect(reused.body).toMatchObject({ code: 'refresh_token_reused', sign_in_again: true })
  expect(after.body['code']).toBe('session_ended')
})

test('an access token is no refresh token, and apps are not led into a loop', async () => {
  const user = await register()

  const refused = await call('POST', '/token/refresh', { token: user.access })

  expect(refused.status).toBe(401)
  expect(refused.body).toMatchObject({ code: 'token_invalid', sign_in_again: true })
})

const LOGOUTS = [
  { path: '/logout/access', message: 'Access token has been revoked', of: 'access' },
  { path: '/logout/refresh', message: 'Refresh token has been revoked', of: 'refresh' },
] as const

test.for(LOGOUTS)('$path ends the whole session at once and may be repeated', async (row) => {
  const user = await register()

  const first = await call('POST', row.path, { token: user[row.of] })
  const again = await call('POST', row.path, { token: user[row.of] })

  expect(first.status).toBe(200)
  expect(first.body).toEqual({ message: row.message })
  expect(again.status).toBe(200)
  const access = await call('GET', '/account', { token: user.access })
  const refresh = await call('POST', '/token/refresh', { token: user.refresh })
  expect(access.body['code']).toBe('session_ended')
  expect(refresh.body['code']).toBe('session_ended')
})

test('devices are listed, and one, the others or all are signed out', async () => {
  const first = await register()
  const second = await signIn(first.username, first.password)
  const third = await signIn(first.username, first.password)
  const listed = await call('GET', '/sessions', { token: second.access })
  const sessions = listed.list('sessions')
  expect(sessions).toHaveLength(3)
  expect(sessions.filter((session) => session['current'] === true)).toHaveLength(1)
  expect(Object.keys(sessions[0] ?? {}).toSorted()).toEqual(
    expect.arrayContaining(['created_at', 'current', 'id', 'last_used_at']),
  )

  const others = await call('DELETE', '/sessions?except=current', { token: second.access })
  expect(others.status).toBe(204)
  expect((await call('GET', '/account', { token: first.access })).status).toBe(401)
  expect((await call('GET', '/account', { token: third.access })).status).toBe(401)
  expect((await call('GET', '/account', { token: second.access })).status).toBe(200)

  const all = await call('DELETE', '/sessions', { token: second.access })
  expect(all.status).toBe(204)
  expect((await call('GET', '/account', { token: second.access })).status).toBe(401)
})

test('the account shows itself, changes its password, exports and deletes itself', async () => {
  const user = await register()
  const other = await signIn(user.username, user.password)
  const account = await call('GET', '/account', { token: user.access })
  expect(account.body).toMatchObject({
    username: user.username,
    role: 'user',
    photo_count: 0,
    photo_bytes: 0,
    quota: { count: 10_000, bytes: 5 * 1024 ** 3 },
  })

  const changed = await call('PUT', '/account/password', {
    token: user.access,
    json: { current_password: user.password, new_password: 'a new and better secret' },
  })
  expect(changed.status).toBe(204)
  expect((await call('GET', '/account', { token: other.access })).status).toBe(401)
  expect((await call('GET', '/account', { token: user.access })).status).toBe(200)

  const exported = await call('GET', '/account/export', { token: user.access })
  expect(exported.status).toBe(200)
  expect(JSON.stringify(exported.body)).not.toMatch(/argon2|hash/)

  const wrong = await call('DELETE', '/account', {
    token: user.access,
    json: { password: user.password },
  })
  expect(wrong.body['code']).toBe('invalid_credentials')
  const gone = await call('DELETE', '/account', {
    token: user.access,
    json: { password: 'a new and better secret' },
  })
  expect(gone.status).toBe(204)
  expect((await call('GET', '/account', { token: user.access })).status).toBe(401)
})
