import { describe, expect } from 'vitest'
import { call, randomName, text } from '../app.ts'
import { startWithHeldCall } from './held-call.ts'
import {
  age,
  type Local,
  logIn,
  PASSWORD,
  refresh,
  register,
  sessionIdOf,
  storedSession,
  test,
  tokensOf,
  useToken,
} from './local.ts'

type Listed = { readonly id: string; readonly name: string; readonly current: boolean }

async function devices(local: Local, token: string): Promise<readonly Listed[]> {
  const { body } = await useToken(local.url, token)
  const { sessions } = body
  return Array.isArray(sessions) ? sessions : []
}

/** Calls after a logout, over all functions and instances. */
const CALLS = process.env['FULL'] === '1' ? 1_000 : 100
const ID = 'KmQCO1Bl2UvSRYcwBxtIfA'
const ENDPOINTS = [
  { method: 'GET', path: '/sessions' },
  { method: 'DELETE', path: `/sessions/${ID}` },
  { method: 'DELETE', path: '/sessions' },
  { method: 'GET', path: '/account' },
  { method: 'GET', path: '/account/export' },
  { method: 'DELETE', path: '/account', json: { password: PASSWORD } },
  { method: 'GET', path: '/users' },
  { method: 'DELETE', path: '/users?dry_run=true' },
  { method: 'POST', path: '/file', body: 'x', headers: { 'content-type': 'image/jpeg' } },
  { method: 'GET', path: '/photos' },
  { method: 'DELETE', path: `/photos/${ID}` },
  { method: 'POST', path: '/uploads', json: { content_type: 'image/jpeg', bytes: 10 } },
] as const

async function statuses(token: string, ...urls: string[]): Promise<readonly number[]> {
  const found: number[] = []
  for (let at = 0; at < CALLS; at += 1) {
    const { method, path, ...rest } = ENDPOINTS[at % ENDPOINTS.length] ?? ENDPOINTS[0]
    const url = urls[at % urls.length] ?? ''
    found.push((await call(url, method, path, { ...rest, token })).status)
  }
  return found
}

describe('devices', () => {
  test('are listed with name, times and network, the last used first', async ({ local }) => {
    const username = randomName()
    const first = tokensOf(await register(local.url, username, { device_name: 'Laptop' }))
    await age(local, first.access, 3_600_000)
    const answer = await call(local.url, 'POST', '/login', {
      json: { username, password: PASSWORD, device_name: 'Phone' },
      headers: { 'x-forwarded-for': '2001:db8:1:2:3::4' },
    })

    const phone = text(answer, 'access_token')

    const { body } = await useToken(local.url, phone)

    expect(body['sessions']).toEqual([
      {
        id: sessionIdOf(phone),
        name: 'Phone',
        created_at: expect.stringMatching(/^\d{4}-.*Z$/),
        last_used_at: expect.stringMatching(/^\d{4}-.*Z$/),
        address: '2001:db8:1::/48',
        current: true,
      },
      expect.objectContaining({ name: 'Laptop', address: '127.0.0.0/24', current: false }),
    ])
  })

  test('have their last use noted once an hour at most', async ({ local }) => {
    const first = tokensOf(await register(local.url, randomName()))
    const opened = (await storedSession(local, first.access)).lastUsedAt

    const second = tokensOf(await refresh(local.url, first.refresh))
    await useToken(local.url, second.access)
    const soon = (await storedSession(local, first.access)).lastUsedAt
    await age(local, first.access, 3_600_000)
    const third = tokensOf(await refresh(local.url, second.refresh))
    await useToken(local.url, third.access)
    const later = (await storedSession(local, first.access)).lastUsedAt

    expect(soon).toEqual(opened)
    expect(later.getTime()).toBeGreaterThanOrEqual(opened.getTime())
    expect(Date.now() - later.getTime()).toBeLessThan(600_000)
  })

  test('one, all others or all can be signed out, at once', async ({ local }) => {
    const username = randomName()
    const tokens = [tokensOf(await register(local.url, username))]
    for (let count = 0; count < 3; count += 1)
      tokens.push(tokensOf(await logIn(local.url, username)))
    const [own, other] = tokens
    if (own === undefined || other === undefined) throw new Error('no tokens')
    const remove = async (path: string) =>
      (await call(local.url, 'DELETE', path, { token: own.access })).status
    const living = async () => {
      const answers = await Promise.all(tokens.map(({ access }) => useToken(local.url, access)))
      return answers.map(({ status }) => status)
    }

    expect(await remove(`/sessions/${sessionIdOf(other.access)}`)).toBe(204)
    expect(await living()).toEqual([200, 401, 200, 200])
    expect(await remove('/sessions?except=current')).toBe(204)
    expect(await living()).toEqual([200, 401, 401, 401])
    expect(await remove('/sessions')).toBe(204)
    expect(await living()).toEqual([401, 401, 401, 401])
    expect(await remove('/sessions')).toBe(401)
  })

  test('of somebody else are not found, like those that never were', async ({ local }) => {
    const foreign = tokensOf(await register(local.url, randomName()))
    const { access } = tokensOf(await register(local.url, randomName()))
    const remove = (id: string) => call(local.url, 'DELETE', `/sessions/${id}`, { token: access })

    const answers = [
      await remove(sessionIdOf(foreign.access)),
      await remove('KmQCO1Bl2UvSRYcwBxtIfA'),
      await remove('..%2F..'),
      await remove('__x__'),
    ]

    for (const { status, body } of answers) {
      expect({ ...body, status, request_id: '' }).toEqual({
        ...answers[0]?.body,
        status: 404,
        request_id: '',
      })
    }
    expect((await useToken(local.url, foreign.access)).status).toBe(200)
  })
})

describe('logout', () => {
  test.for(['/logout/access', '/logout/refresh'])(
    'with %s ends both tokens everywhere on the next call, and can be repeated',
    async (path, { local }) => {
      const second = await local.second()
      const username = randomName()
      const spared = tokensOf(await register(local.url, username))
      const ended = tokensOf(await logIn(local.url, username))
      const token = path === '/logout/access' ? ended.access : ended.refresh
      expect((await useToken(second.url, ended.access)).status).toBe(200)

      const answers = [await call(local.url, 'POST', path, { token })]
      const refused = await statuses(ended.access, local.url, second.url)
      const refreshed = await refresh(local.url, ended.refresh)
      answers.push(await call(local.url, 'POST', path, { token }))
      const message = path === '/logout/access' ? 'Access' : 'Refresh'

      for (const { status, body } of answers) {
        expect(status).toBe(200)
        expect(body).toEqual({ message: `${message} token has been revoked` })
      }
      expect(refused).toEqual(Array(CALLS).fill(401))
      expect(refreshed.body['code']).toBe('session_ended')
      expect((await useToken(local.url, spared.access)).status).toBe(200)
    },
  )

  test('with the previous refresh token ends the session, with an older one it does not', async ({
    local,
  }) => {
    const first = tokensOf(await register(local.url, randomName()))
    const second = tokensOf(await refresh(local.url, first.refresh))
    const third = tokensOf(await refresh(local.url, second.refresh))
    const logOut = async (token: string) =>
      (await call(local.url, 'POST', '/logout/refresh', { json: { refresh_token: token } })).status
    const alive = async () => (await useToken(local.url, third.access)).status

    expect([await logOut(first.refresh), await alive()]).toEqual([200, 200])
    expect([await logOut(second.refresh), await alive()]).toEqual([200, 401])
  })

  test('refuses what has not the form of its token', async ({ local }) => {
    const { access, refresh: token } = tokensOf(await register(local.url, randomName()))
    const codeOf = async (path: string, sent?: string) => {
      const answer = await call(local.url, 'POST', path, sent === undefined ? {} : { token: sent })
      return [answer.status, answer.body['code']]
    }

    expect(await codeOf('/logout/access')).toEqual([401, 'token_missing'])
    expect(await codeOf('/logout/access', token)).toEqual([401, 'token_invalid'])
    expect(await codeOf('/logout/refresh')).toEqual([401, 'token_missing'])
    expect(await codeOf('/logout/refresh', access)).toEqual([401, 'token_invalid'])
    expect((await useToken(local.url, access)).status).toBe(200)
  })
})

describe('a changed password', () => {
  test('SES-11 ends all other sessions in one commit, and no login with the old one survives it', async ({
    local,
  }) => {
    const username = randomName()
    const own = tokensOf(await register(local.url, username))
    const others = [
      tokensOf(await logIn(local.url, username)),
      tokensOf(await logIn(local.url, username)),
    ]
    // The first commit of a login counts the attempt, the second opens the session.
    const slow = await startWithHeldCall(local, 'Commit', 2)
    const overtaken = logIn(slow.url, username)
    await slow.reached()

    const change = await call(local.url, 'PUT', '/account/password', {
      token: own.access,
      json: { current_password: PASSWORD, new_password: 'another horse battery' },
    })
    slow.letGo()
    const late = await overtaken
    await slow.close()

    expect(change.status).toBe(204)
    expect([late.status, late.body['code']]).toEqual([401, 'invalid_credentials'])
    for (const { access, refresh: token } of others) {
      expect((await useToken(local.url, access)).body['code']).toBe('session_ended')
      expect((await refresh(local.url, token)).body['code']).toBe('session_ended')
    }
    expect((await useToken(local.url, own.access)).status).toBe(200)
    expect((await refresh(local.url, own.refresh)).status).toBe(200)
    expect((await logIn(local.url, username)).status).toBe(401)
    const again = await logIn(local.url, username, { password: 'another horse battery' })
    expect(await devices(local, text(again, 'access_token'))).toHaveLength(2)
  })
})
