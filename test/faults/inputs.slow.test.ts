import { createHash, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { call, newDataDir, randomName, registerUser, text, type User } from '../app.ts'
import { startNode } from '../processes.ts'
import { type FaultyApp, startFaultyApp, startInstance } from './faulty-app.ts'
import { minimalPng } from './photos.ts'
import { openStored, type Stored } from './stored.ts'

const FULL = process.env['FULL'] === '1'

let app: FaultyApp
let stored: Stored
let user: User
beforeAll(async () => {
  app = await startFaultyApp({ UPLOAD_LIMIT: '1000/minute' })
  stored = openStored(app.direct)
  user = await registerUser(app.url)
})
afterAll(async () => {
  await stored.close()
  await app.close()
})

const account = (url: string, token: string) => call(url, 'GET', '/account', { token })

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {}
}

test('F14 an instance whose clock is five minutes off says so and hands out no token that others refuse', async () => {
  const ahead = await startInstance(
    { ...app.proxied, CLOCK_SKEW_MS: String(5 * 60_000) },
    'skewed-clock.ts',
  )
  const json = { username: user.username, password: user.password }

  const login = await call(ahead.url, 'POST', '/login', { json })
  const accepted =
    login.status === 200 && (await account(app.url, text(login, 'access_token'))).status === 200

  expect(accepted || login.status === 503).toBe(true)
  await account(ahead.url, user.accessToken)
  expect(ahead.process.output()).toMatch(/skew/)
  const limited = await call(ahead.url, 'POST', '/token/refresh', { token: user.refreshToken })
  expect([200, 503]).toContain(limited.status)
  await ahead.process.stop()
})

test('F16 a flood of unknown key ids is refused without a read of the store', async () => {
  const [, payload, signature] = user.accessToken.split('.')
  const tokens = Array.from({ length: FULL ? 10_000 : 1_000 }, () => {
    const header = { alg: 'ES256', typ: 'at+jwt', kid: randomBytes(32).toString('base64url') }
    return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${signature}`
  })
  const before = app.firestore.rules.calls.length

  const statuses = new Set<number>()
  for (let from = 0; from < tokens.length; from += 50) {
    const answers = await Promise.all(
      tokens.slice(from, from + 50).map((token) => account(app.url, token)),
    )
    for (const { status } of answers) statuses.add(status)
  }

  expect([...statuses]).toEqual([401])
  expect(app.firestore.rules.calls.length).toBe(before)
}, 60_000)

test('F21 a local start reaches for nothing outside this machine', async () => {
  const dataDir = await newDataDir()
  const started = startNode(
    ['--import', './test/faults/outward-connections.ts', 'infra/run.js', 'start'],
    { PORT: '0', WOWMEDIA_DATA_DIR: dataDir },
  )
  const [, url = ''] = await started.line(/^Wowmedia is ready at (http:\S+)$/m)
  const someone = await registerUser(url)
  await call(url, 'POST', '/file', {
    token: someone.accessToken,
    body: minimalPng(),
    headers: { 'content-type': 'image/png' },
  })

  expect(await started.stop()).toBe(0)
  expect(started.output()).not.toMatch(/^outward:/m)
})

const FORWARDED = [
  'x'.repeat(8_000),
  ',,,',
  'unknown',
  '203.0.113.7:4711',
  '[2001:db8::1]:4711',
  Array.from({ length: 1_000 }, () => '10.0.0.1').join(','),
  '203.0.113.7, "quoted"',
]

test.for(FORWARDED.map((value) => ({ value, what: value.slice(0, 24) })))(
  'F22 X-Forwarded-For $what is a usual answer',
  async ({ value }) => {
    const answer = await call(app.url, 'POST', '/login', {
      json: { username: randomName(), password: 'not the password' },
      headers: { 'x-forwarded-for': value },
    })

    expect([401, 431]).toContain(answer.status)
  },
)

function halfRequest(url: string): Socket {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname).on('error', () => undefined)
  socket.write('GET / HTTP/1.1\r\nHost: slow\r\nX-Slow: ')
  return socket
}

test('F24 a thousand half requests are closed, and the others are served meanwhile', async () => {
  const count = FULL ? 1_000 : 300
  const sockets = Array.from({ length: count }, () => halfRequest(app.url))
  let closed = 0
  for (const socket of sockets) {
    socket.resume().on('close', () => {
      closed += 1
    })
  }

  const meanwhile = await account(app.url, user.accessToken)
  const stillOpen = count - closed

  expect(meanwhile.status).toBe(200)
  expect(stillOpen).toBeGreaterThan(0)
  await expect.poll(() => closed, { timeout: 40_000, interval: 500 }).toBe(count)
}, 60_000)

const DAMAGE = [
  { what: 'a session without its fields', collection: 'sessions', change: { user_id: 7 } },
  { what: 'a session that ends at a word', collection: 'sessions', change: { expires_at: 'soon' } },
  { what: 'a user with a broken epoch', collection: 'users', change: { session_epoch: 'x' } },
  {
    what: 'a broken password hash',
    collection: 'usernames',
    change: { password_hash: '$argon2id$' },
  },
]

test.for(DAMAGE)('F26 $what is refused, and other users notice nothing', async (row) => {
  const victim = await registerUser(app.url)
  const { sid, sub } = claimsOf(victim.accessToken)
  const ids = { sessions: String(sid), users: String(sub), usernames: victim.username }
  const id =
    row.collection === 'sessions' || row.collection === 'users'
      ? ids[row.collection]
      : ids.usernames
  await stored.database.client().collection(row.collection).doc(id).update(row.change)

  const called = await account(app.url, victim.accessToken)
  const login = await call(app.url, 'POST', '/login', {
    json: { username: victim.username, password: victim.password },
  })

  const answers = row.collection === 'usernames' ? [login.status] : [called.status]
  for (const status of answers) expect([401, 503]).toContain(status)
  expect((await account(app.url, user.accessToken)).status).toBe(200)
  expect(app.process.output()).not.toContain(victim.password)
})

test('F27 a sweep amid uploads takes nothing that one of them still needs', async () => {
  let running = true
  const sweeping = (async () => {
    while (running) await stored.sweepNow()
  })()

  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      call(app.url, 'POST', '/file', {
        token: user.accessToken,
        body: minimalPng(600, index),
        headers: { 'content-type': 'image/png' },
      }),
    ),
  )
  running = false
  await sweeping

  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
  const objects = new Set(await stored.objects())
  for (const { body } of answers) {
    const photo = body['photo']
    const id = typeof photo === 'object' && photo !== null && 'id' in photo ? String(photo.id) : ''
    const content = await call(app.url, 'GET', `/photos/${id}/content`, { token: user.accessToken })
    const bytes = await fetch(content.headers.get('location') ?? '')
    const sum = createHash('sha256')
      .update(Buffer.from(await bytes.arrayBuffer()))
      .digest('hex')
    expect(photo).toMatchObject({ sha256: sum })
    expect([...objects].some((name) => name.endsWith(id))).toBe(true)
  }
}, 60_000)
