import { hash } from 'argon2'
import { describe, expect } from 'vitest'
import { parametersOf } from '../../shared/crypto/password-hash.ts'
import { type Answer, call, randomName, text } from '../app.ts'
import {
  callsDuring,
  type Local,
  logIn,
  PASSWORD,
  register,
  test,
  tokensOf,
  useToken,
} from './local.ts'

function nameDocument(local: Local, username: string) {
  return local.database.client().collection('usernames').doc(username)
}

async function storedHash(local: Local, username: string): Promise<string> {
  const stored: unknown = (await nameDocument(local, username).get()).get('password_hash')
  return String(stored)
}

/** A user whose password is stored under other parameters. */
async function userHashedWith(local: Local, stored: string): Promise<string> {
  const username = randomName()
  await register(local.url, username)
  await nameDocument(local, username).update({ password_hash: stored })
  return username
}

const hashed = (memoryCost: number) =>
  hash(PASSWORD, { memoryCost, timeCost: 2, parallelism: 1, hashLength: 32 })

const CHANGING = new Set(['date', 'x-request-id', 'ratelimit', 'ratelimit-policy'])

/** All of an answer but what differs from request to request. */
function masked({ status, headers, body }: Answer) {
  const kept = [...headers].filter(([name]) => !CHANGING.has(name))
  return { status, headers: kept, body: { ...body, request_id: 'masked' } }
}

describe('login', () => {
  test('AUTH-01 answers an unknown name, a wrong password and a deleted user alike', async ({
    local,
  }) => {
    const { url } = local
    const username = randomName()
    const deleted = randomName()
    await register(url, username)
    const { access } = tokensOf(await register(url, deleted))
    await call(url, 'DELETE', '/account', { token: access, json: { password: PASSWORD } })

    const answers = [
      await logIn(url, randomName()),
      await logIn(url, username, { password: 'not the password' }),
      await logIn(url, deleted),
      await logIn(url, deleted, { password: 'not the password' }),
    ].map(masked)

    expect(answers[0]).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } })
    for (const answer of answers) expect(answer).toEqual(answers[0])
    expect(new Headers(answers[0]?.headers).get('www-authenticate')).toMatch(/^Bearer/)
  })

  test('an unknown name costs the same calls to the store as a wrong password', async ({
    local,
  }) => {
    const username = randomName()
    await register(local.url, username)
    const unknown = randomName()
    const [wrong, none] = [
      await callsDuring(local, () => logIn(local.url, username, { password: 'not it' })),
      await callsDuring(local, () => logIn(local.url, unknown)),
    ]

    expect(none.toSorted()).toEqual(wrong.toSorted())
  })

  test('PW-06 stores a weak hash anew, at a successful login only', async ({ local }) => {
    const weak = await userHashedWith(local, await hashed(8_192))
    const strong = await hashed(65_536)
    const other = await userHashedWith(local, strong)

    await logIn(local.url, weak, { password: 'not the password' })
    const afterFailure = parametersOf(await storedHash(local, weak))
    expect((await logIn(local.url, weak)).status).toBe(200)
    const afterSuccess = parametersOf(await storedHash(local, weak))
    expect((await logIn(local.url, weak)).status).toBe(200)
    expect((await logIn(local.url, other)).status).toBe(200)

    expect([afterFailure?.memory, afterSuccess?.memory]).toEqual([8_192, 19_456])
    expect(await storedHash(local, other)).toBe(strong)
  })

  test('succeeds twice at once where both would store the hash anew', async ({ local }) => {
    const username = await userHashedWith(local, await hashed(8_192))

    const answers = await Promise.all([1, 2].map(() => logIn(local.url, username)))

    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    for (const answer of answers) {
      expect((await useToken(local.url, text(answer, 'access_token'))).status).toBe(200)
    }
  })

  test('PW-07 is refused where the stored hash is none of ours, whatever it asks for', async ({
    local,
  }) => {
    const rest = 'c2FsdHNhbHRzYWx0$dGFndGFndGFndGFndGFndGFn'
    const broken = [
      '',
      'x',
      '$2b$10$abc',
      `$argon2id$v=19$m=4294967295,t=2,p=1$${rest}`,
      `$argon2i$v=19$m=19456,t=2,p=1$${rest}`,
    ]

    for (const stored of broken) {
      const answer = await logIn(local.url, await userHashedWith(local, stored))
      expect([stored, answer.status, answer.body['code']]).toEqual([
        stored,
        401,
        'invalid_credentials',
      ])
    }
    expect((await register(local.url, randomName())).status).toBe(201)
    await expect.poll(() => local.process.output()).toMatch(/password_hash_damaged/)
  })

  test('ignores Authorization, and shows the device by the name it gives', async ({ local }) => {
    const username = randomName()
    await register(local.url, username)
    const answer = await call(local.url, 'POST', '/login', {
      token: 'nonsense',
      json: { username, password: PASSWORD, device_name: '  My\u202e phone\n ' },
    })

    const listed = await useToken(local.url, text(answer, 'access_token'))

    expect(answer.status).toBe(200)
    expect(listed.body['sessions']).toMatchObject([
      { name: 'My phone', current: true, address: '127.0.0.0/24' },
      { name: 'Unnamed device', current: false },
    ])
  })
})

describe('the log', () => {
  test('AUTH-08 tells who did what from where, and none of the secrets', async ({ local }) => {
    const { url, process } = await local.startInstance()
    const username = randomName()
    const mistyped = `${randomName()}.secret`
    const first = tokensOf(await register(url, username))
    const second = tokensOf(await logIn(url, username))
    await logIn(url, username, { password: 'a wrong password' })
    await logIn(url, mistyped, { password: 'a wrong password' })
    const third = tokensOf(await call(url, 'POST', '/token/refresh', { token: second.refresh }))
    const fourth = tokensOf(await call(url, 'POST', '/token/refresh', { token: third.refresh }))
    await call(url, 'POST', '/token/refresh', { json: { refresh_token: second.refresh } })
    await useToken(url, first.access)
    await call(url, 'PUT', '/account/password', {
      token: first.access,
      json: { current_password: PASSWORD, new_password: 'another horse battery' },
    })
    const body = { username, password: 'another horse battery', device_name: 'Owl phone' }
    const last = tokensOf(await call(url, 'POST', '/login', { json: body }))
    await call(url, 'POST', '/logout/access', { token: first.access })
    await call(url, 'DELETE', '/account', {
      token: last.access,
      json: { password: 'another horse battery' },
    })
    await process.stop()

    const output = process.output()
    const events = [
      'registration',
      'login',
      'login_failed',
      'refresh_reuse',
      'logout',
      'password_changed',
      'account_deleted',
    ]
    for (const event of events) expect(output).toMatch(new RegExp(`\\b${event}\\b`))
    expect(output).toMatch(/login_failed account=\S{43} network=127\.0\.0\.0\/24/)
    expect(output).toMatch(
      /refresh_reuse uid=\S{22} sid=\S{22} session_network=127\.0\.0\.0\/24 network=/,
    )
    const tokens = [first, second, third, fourth, last].flatMap(({ access, refresh }) => [
      access,
      refresh,
    ])
    const secrets = [
      PASSWORD,
      'another horse battery',
      'a wrong password',
      mistyped,
      username,
      ...tokens,
    ]
    expect(secrets.filter((secret) => output.includes(secret))).toEqual([])
  })
})
