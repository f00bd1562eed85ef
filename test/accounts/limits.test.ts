/** The limits of RL-04 over HTTP, each at its default or as the test's own `npm start` was given it. */
import { test as base, describe, expect } from 'vitest'
import { type Answer, type App, call, startApp, text, type User } from '../app.ts'
import { png } from '../image/build-png.ts'

const LIMITS = {
  LOGIN_LIMIT_PER_ADDRESS: '30/minute',
  REGISTRATION_LIMIT_PER_ADDRESS: '8/hour',
}

const test = base
  .extend('app', { scope: 'file' }, async ({}, { onCleanup }) => {
    const app = await startApp({ env: LIMITS })
    onCleanup(() => app.close())
    return app
  })
  .extend('user', async ({ app }) => await registerFrom(app, anAddress()))

let hosts = 0
/** An address, and a network, that no other test has. */
function anAddress(): string {
  hosts += 1
  return `10.${hosts >> 8}.${hosts & 255}.7`
}

function from(address: string) {
  return { headers: { 'x-forwarded-for': address } }
}

const PASSWORD = 'correct horse battery'

function register(app: App, address: string, username: string): Promise<Answer> {
  const json = { username, password: PASSWORD }
  return call(app.url, 'POST', '/registration', { json, ...from(address) })
}

function logIn(app: App, address: string, username: string, password: string): Promise<Answer> {
  return call(app.url, 'POST', '/login', { json: { username, password }, ...from(address) })
}

async function registerFrom(app: App, address: string): Promise<User> {
  const username = `limited-${address.replaceAll('.', '-')}`
  const answer = await register(app, address, username)
  return {
    username,
    password: PASSWORD,
    accessToken: text(answer, 'access_token'),
    refreshToken: text(answer, 'refresh_token'),
  }
}

type Ask = (app: App, user: User) => Promise<(turn: number) => Promise<Answer>>

const failedLogins: Ask = async (app, user) => {
  const address = anAddress()
  return () => logIn(app, address, user.username, 'wrong')
}

const failedLoginsForManyNames: Ask = async (app) => {
  const address = anAddress()
  return (turn) => logIn(app, address, `nobody-${turn}`, 'wrong')
}

const registrations: Ask = async (app) => {
  const address = anAddress()
  const [, second, third] = address.split('.')
  return (turn) => register(app, address, `from-${second}-${third}-${turn}`)
}

const refreshes: Ask = async (app, user) => {
  let token = user.refreshToken
  return async () => {
    const answer = await call(app.url, 'POST', '/token/refresh', { token })
    if (answer.status === 200) token = text(answer, 'refresh_token')
    return answer
  }
}

const passwordChanges: Ask = async (app, { accessToken: token }) => {
  return (turn) => {
    const current_password = turn === 1 ? PASSWORD : `changed for turn ${turn}`
    const json = { current_password, new_password: `changed for turn ${turn + 1}` }
    return call(app.url, 'PUT', '/account/password', { token, json })
  }
}

const confirmations: Ask = async (app, { accessToken: token }) => {
  return () => call(app.url, 'DELETE', '/account', { token, json: { password: 'wrong' } })
}

const exports: Ask = async (app, { accessToken: token }) => {
  return () => call(app.url, 'GET', '/account/export', { token })
}

const uploads: Ask = async (app, { accessToken: token }) => {
  const headers = { 'content-type': 'image/png' }
  return () => call(app.url, 'POST', '/file', { token, headers, body: png() })
}

const TABLE: readonly {
  readonly what: string
  readonly ask: Ask
  readonly places: number
  /** More where time passes, as the growing delay does. */
  readonly most?: number
  readonly policy: string
  readonly detail: string
  readonly longestWait: number
}[] = [
  {
    what: 'failed logins of an account',
    ask: failedLogins,
    places: 5,
    most: 10,
    policy: '"login-account";q=10;w=900',
    detail: '10 per 15 minutes',
    longestWait: 32,
  },
  {
    what: 'failed logins of an address',
    ask: failedLoginsForManyNames,
    places: 30,
    policy: '"login-address";q=30;w=60',
    detail: '30 per 1 minute',
    longestWait: 60,
  },
  {
    what: 'registrations of an address',
    ask: registrations,
    places: 8,
    policy: '"registration";q=8;w=3600',
    detail: '8 per 1 hour',
    longestWait: 3600,
  },
  {
    what: 'refreshes of a session',
    ask: refreshes,
    places: 60,
    policy: '"refresh";q=60;w=60',
    detail: '60 per 1 minute',
    longestWait: 60,
  },
  {
    what: 'password changes of a user',
    ask: passwordChanges,
    places: 5,
    policy: '"password";q=5;w=3600',
    detail: '5 per 1 hour',
    longestWait: 3600,
  },
  {
    what: 'wrong passwords at DELETE /account',
    ask: confirmations,
    places: 5,
    most: 10,
    policy: '"login-account";q=10;w=900',
    detail: '10 per 15 minutes',
    longestWait: 32,
  },
  {
    what: 'exports of a user',
    ask: exports,
    places: 5,
    policy: '"export";q=5;w=86400',
    detail: '5 per 1 day',
    longestWait: 86_400,
  },
  {
    what: 'uploads of a user',
    ask: uploads,
    places: 5,
    policy: '"upload";q=5;w=60',
    detail: '5 per 1 minute',
    longestWait: 60,
  },
]

/** Asks again and again until it is 429, at most once more than `most` times. */
async function untilRefused(next: (turn: number) => Promise<Answer>, most: number) {
  const statuses: number[] = []
  for (let turn = 1; turn <= most; turn += 1) {
    const answer = await next(turn)
    if (answer.status === 429) return { statuses, refused: answer }
    statuses.push(answer.status)
  }
  return { statuses, refused: await next(most + 1) }
}

describe('limits', () => {
  test.for(TABLE)('RL-04 $places $what, and no more', async (row, { app, user }) => {
    const next = await row.ask(app, user)

    const { statuses, refused } = await untilRefused(next, row.most ?? row.places)

    const wait = Number(refused.headers.get('retry-after'))
    expect(statuses.length).toBeGreaterThanOrEqual(row.places)
    expect(refused.status).toBe(429)
    expect(refused.body).toMatchObject({
      code: 'rate_limited',
      detail: row.detail,
      retryable: true,
    })
    expect(refused.headers.get('ratelimit-policy')).toBe(row.policy)
    expect(wait).toBeGreaterThanOrEqual(1)
    expect(wait).toBeLessThanOrEqual(row.longestWait)
    expect(refused.headers.get('ratelimit')).toBe(`${row.policy.split(';')[0]};r=0;t=${wait}`)
  })

  test('what is refused as invalid counts nowhere', async ({ app }) => {
    const address = anAddress()
    const json = { username: 'x', password: 'short' }
    const invalid = () => call(app.url, 'POST', '/registration', { json, ...from(address) })

    const { statuses } = await untilRefused(invalid, 9)
    const valid = await register(app, address, 'valid-after-invalid')

    expect(new Set(statuses)).toEqual(new Set([400]))
    expect(valid.status).toBe(201)
  })

  test('two addresses of one /64 share a limit, two of one /48 do not', async ({ app }) => {
    const names = Array.from({ length: 8 }, (_, index) => `six-${index}`)
    for (const name of names) await register(app, '2001:db8:1:2::1', name)

    const sameNetwork = await register(app, '2001:db8:1:2:ffff::9', 'six-same')
    const other = await register(app, '2001:db8:1:3::1', 'six-other')

    expect([sameNetwork.status, other.status]).toEqual([429, 201])
  })
})

describe('an attacker does not lock the owner out', () => {
  const COUNT = process.env['FULL'] === '1' ? 1000 : 100

  test('RL-05 after many wrong logins from elsewhere the owner logs in at the first try, and live sessions go on', async ({
    app,
  }) => {
    const home = anAddress()
    const owner = await registerFrom(app, home)
    const statuses: number[] = []
    for (let turn = 0; turn < COUNT; turn += 1) {
      const address = turn % 20 === 0 ? anAddress() : `10.${hosts >> 8}.${hosts & 255}.${turn % 20}`
      statuses.push((await logIn(app, address, owner.username, 'wrong')).status)
    }

    const login = await logIn(app, home, owner.username, owner.password)
    const refresh = await call(app.url, 'POST', '/token/refresh', { token: owner.refreshToken })
    const changed = await call(app.url, 'PUT', '/account/password', {
      token: owner.accessToken,
      json: { current_password: owner.password, new_password: 'what nobody has guessed' },
    })

    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(15)
    expect(new Set(statuses)).toEqual(new Set([401, 429]))
    expect([login.status, refresh.status, changed.status]).toEqual([200, 200, 204])
  })

  test('a known and an unknown name are throttled alike', async ({ app, user }) => {
    const tries = async (username: string) => {
      const address = anAddress()
      const { refused } = await untilRefused(() => logIn(app, address, username, 'wrong'), 10)
      return { ...refused.body, request_id: '' }
    }

    expect(await tries(user.username)).toEqual(await tries('nobody-of-this-name'))
  })

  test('wrong passwords of a stolen session count for the logins of everyone else', async ({
    app,
    user,
  }) => {
    const { accessToken: token } = user
    const wrong = () => call(app.url, 'DELETE', '/account', { token, json: { password: 'wrong' } })
    await untilRefused(wrong, 10)

    const login = () => logIn(app, anAddress(), user.username, 'wrong')

    const { statuses } = await untilRefused(login, 5)
    expect(statuses.length).toBeLessThanOrEqual(2)
  })
})
