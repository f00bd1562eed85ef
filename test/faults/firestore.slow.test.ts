import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { call, randomName, registerUser, text, type User } from '../app.ts'
import { type FaultyApp, startFaultyApp } from './faulty-app.ts'
import { minimalPng } from './photos.ts'

/** gRPC codes (google.rpc.Code). */
const RESOURCE_EXHAUSTED = 8
const PERMISSION_DENIED = 7
const ABORTED = 10
const UNAVAILABLE = 14
const READ = /^BatchGetDocuments$/
const COMMIT = /^Commit$/

let app: FaultyApp
let user: User
beforeAll(async () => {
  app = await startFaultyApp()
  user = await registerUser(app.url)
})
afterEach(() => app.firestore.rules.heal())
afterAll(() => app.close())

const upload = (key?: string) =>
  call(app.url, 'POST', '/file', {
    token: user.accessToken,
    body: minimalPng(),
    headers: {
      'content-type': 'image/png',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
  })

const NEEDS_FIRESTORE = [
  { call: 'POST /registration', json: { username: 'someone-new', password: 'long enough secret' } },
  { call: 'POST /login', json: { username: 'someone-new', password: 'long enough secret' } },
  { call: 'POST /token/refresh', token: 'refresh' },
  { call: 'POST /logout/access', token: 'access' },
  { call: 'POST /logout/refresh', token: 'refresh' },
  { call: 'GET /users', token: 'access' },
  { call: 'GET /account', token: 'access' },
  { call: 'GET /sessions', token: 'access' },
  { call: 'GET /photos', token: 'access' },
  { call: 'POST /file', token: 'access' },
  { call: 'POST /uploads', token: 'access', json: { content_type: 'image/png', bytes: 10 } },
] as const

test('F01 without Firestore each function that needs it answers 503, none 401, and the others 200', async () => {
  app.firestore.rules.add(/./, { kind: 'answer', code: UNAVAILABLE })

  const answers = await Promise.all(
    NEEDS_FIRESTORE.map(async (row) => {
      const [method = '', path = ''] = row.call.split(' ')
      const tokens = { access: user.accessToken, refresh: user.refreshToken }
      const token = 'token' in row ? { token: tokens[row.token] } : {}
      const sent =
        path === '/file' ? { body: minimalPng(), headers: { 'content-type': 'image/png' } } : {}
      const json = 'json' in row ? { json: row.json } : {}
      const { status, headers, body } = await call(app.url, method, path, {
        ...token,
        ...sent,
        ...json,
      })
      return {
        call: row.call,
        status,
        code: body['code'],
        retry: Number(headers.get('retry-after')) > 0,
      }
    }),
  )
  const welcome = await call(app.url, 'GET', '/')
  const keys = await call(app.url, 'GET', '/.well-known/jwks.json')

  expect(answers).toEqual(
    NEEDS_FIRESTORE.map((row) => ({
      call: row.call,
      status: 503,
      code: 'unavailable',
      retry: true,
    })),
  )
  expect([welcome.status, keys.status]).toEqual([200, 200])
})

test('F02 four aborted commits are one registration, five are none', async () => {
  const [first, second] = [randomName(), randomName()]
  const register = (username: string) =>
    call(app.url, 'POST', '/registration', { json: { username, password: 'long enough secret' } })

  app.firestore.rules.add(COMMIT, { kind: 'answer', code: ABORTED }, { times: 4 })
  const survived = await register(first)
  app.firestore.rules.heal()
  app.firestore.rules.add(COMMIT, { kind: 'answer', code: ABORTED }, { times: 20 })
  const refused = await register(second)
  app.firestore.rules.heal()
  const later = await register(second)

  expect(survived.status).toBe(201)
  expect(refused.status).toBe(503)
  expect(later.status).toBe(201)
})

test('F03 a commit whose reply was lost counts once', async () => {
  const username = randomName()
  const lose = () => app.firestore.rules.add(COMMIT, { kind: 'lose-reply' }, { times: 1 })

  lose()
  const registered = await call(app.url, 'POST', '/registration', {
    json: { username, password: 'long enough secret' },
  })
  expect(registered.status).toBe(201)
  lose()
  const refreshed = await call(app.url, 'POST', '/token/refresh', {
    token: text(registered, 'refresh_token'),
  })
  const repeated = await call(app.url, 'POST', '/token/refresh', {
    token: text(registered, 'refresh_token'),
  })
  expect(refreshed.status).toBe(200)
  expect(text(repeated, 'refresh_token')).toBe(text(refreshed, 'refresh_token'))

  const token = text(refreshed, 'access_token')
  await call(app.url, 'GET', '/account', { token })
  lose()
  const photo = await call(app.url, 'POST', '/file', {
    token,
    body: minimalPng(),
    headers: { 'content-type': 'image/png' },
  })
  expect(photo.status).toBe(201)
  expect(photo.headers.get('ratelimit')).toMatch(/^"upload";r=4;/)
  const listed = await call(app.url, 'GET', '/photos', { token })
  const [only, ...others] = Array.isArray(listed.body['photos']) ? listed.body['photos'] : []
  expect(others).toEqual([])
  lose()
  const deleted = await call(app.url, 'DELETE', `/photos/${only.id}`, { token })
  expect(deleted.status).toBe(204)
})

test('F04 a Firestore that hangs is a 503, and nothing stays open behind it', async () => {
  const calls = process.env['FULL'] === '1' ? 100 : 20
  app.firestore.rules.add(/./, { kind: 'hang' })

  const answers = await Promise.all(
    Array.from({ length: calls }, () =>
      call(app.url, 'GET', '/account', { token: user.accessToken }),
    ),
  )
  app.firestore.rules.heal()

  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]))
  await expect.poll(() => app.firestore.open(), { timeout: 30_000 }).toBe(0)
  expect((await call(app.url, 'GET', '/account', { token: user.accessToken })).status).toBe(200)
}, 90_000)

test('F05 Firestore lost between admission and record: 503, and the same key works later', async () => {
  app.firestore.rules.add(COMMIT, { kind: 'answer', code: UNAVAILABLE }, { skip: 1 })
  const refused = await upload('f05')
  app.firestore.rules.heal()

  expect(refused.status).toBe(503)
  expect(
    (await call(app.url, 'GET', '/photos', { token: user.accessToken })).body['photos'],
  ).toEqual([])
  await expect
    .poll(async () => (await upload('f05')).status, { timeout: 90_000, interval: 5_000 })
    .toBe(201)
  const account = await call(app.url, 'GET', '/account', { token: user.accessToken })
  expect(account.body).toMatchObject({ photo_count: 1, photo_bytes: minimalPng().length })
}, 120_000)

test('F06 exhausted and denied are a 503 with a line for the operator, and denied is not tried again', async () => {
  // Leases and retries of the tests before are over.
  await expect.poll(() => app.firestore.open(), { timeout: 20_000 }).toBe(0)
  const reads = () => app.firestore.rules.calls.filter((name) => READ.test(name)).length
  app.firestore.rules.add(READ, { kind: 'answer', code: PERMISSION_DENIED })
  const before = reads()
  const denied = await call(app.url, 'GET', '/account', { token: user.accessToken })
  const asked = reads() - before
  app.firestore.rules.heal()
  app.firestore.rules.add(READ, { kind: 'answer', code: RESOURCE_EXHAUSTED })
  const exhausted = await call(app.url, 'GET', '/account', { token: user.accessToken })

  expect([exhausted.status, denied.status]).toEqual([503, 503])
  expect(asked).toBe(1)
  expect(app.process.output()).toMatch(/account failed: unavailable/)
})
