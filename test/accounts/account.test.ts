import { once } from 'node:events'
import { request } from 'node:http'
import { describe, expect } from 'vitest'
import { type Answer, type App, call, registerUser, text, type User } from '../app.ts'
import { png } from '../image/build-png.ts'
import { test } from '../with-app.ts'

const IMAGE = { 'content-type': 'image/png' }

function upload(app: App, { accessToken: token }: User): Promise<Answer> {
  return call(app.url, 'POST', '/file', { token, body: png(), headers: IMAGE })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function recordsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}

function memberOf(answer: Answer, member: string): Readonly<Record<string, unknown>> {
  const value = answer.body[member]
  return isRecord(value) ? value : {}
}

function logIn(app: App, username: string, password: string): Promise<Answer> {
  return call(app.url, 'POST', '/login', { json: { username, password } })
}

function changePassword(app: App, token: string, current: string, wanted: string) {
  const json = { current_password: current, new_password: wanted }
  return call(app.url, 'PUT', '/account/password', { token, json })
}

describe('GET /account', () => {
  test('shows the own account and nothing else', async ({ app, user }) => {
    await upload(app, user)

    const { status, body } = await call(app.url, 'GET', '/account', { token: user.accessToken })

    expect(status).toBe(200)
    expect(body).toEqual({
      id: expect.stringMatching(/^[\w-]{22}$/),
      username: user.username,
      role: 'user',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      photo_count: 1,
      photo_bytes: expect.any(Number),
      quota: { count: 10_000, bytes: 5_368_709_120 },
      upload_limit: '5/minute',
    })
  })
})

describe('PUT /account/password', () => {
  test('the new password logs in and the old one does not', async ({ app, user }) => {
    const wanted = 'an entirely new secret'

    const changed = await changePassword(app, user.accessToken, user.password, wanted)

    const [before, after] = [
      await logIn(app, user.username, user.password),
      await logIn(app, user.username, wanted),
    ]
    expect([changed.status, before.status, after.status]).toEqual([204, 401, 200])
  })

  test('of three devices only the one that changed it goes on', async ({ app, user }) => {
    const others = [await logIn(app, user.username, user.password)]
    others.push(await logIn(app, user.username, user.password))

    await changePassword(app, user.accessToken, user.password, 'an entirely new secret')

    const statuses = async (access: string, refresh: string) => [
      (await call(app.url, 'GET', '/sessions', { token: access })).status,
      (await call(app.url, 'POST', '/token/refresh', { token: refresh })).status,
    ]
    for (const other of others) {
      expect(await statuses(text(other, 'access_token'), text(other, 'refresh_token'))).toEqual([
        401, 401,
      ])
    }
    expect(await statuses(user.accessToken, user.refreshToken)).toEqual([200, 200])
  })

  test('a login that races with the change never survives with the old password', async ({
    app,
    user,
  }) => {
    const [changed, ...logins] = await Promise.all([
      changePassword(app, user.accessToken, user.password, 'an entirely new secret'),
      ...Array.from({ length: 5 }, () => logIn(app, user.username, user.password)),
    ])

    const opened = logins.filter(({ status }) => status === 200)
    const still = await Promise.all(
      opened.map((login) =>
        call(app.url, 'GET', '/sessions', { token: text(login, 'access_token') }),
      ),
    )
    expect(changed.status).toBe(204)
    expect(still.map(({ status }) => status)).toEqual(opened.map(() => 401))
  })

  test.for([
    {
      why: 'a wrong current password',
      current: 'wrong',
      wanted: 'a fresh long secret',
      code: 'invalid_credentials',
    },
    { why: 'a short new one', current: undefined, wanted: 'short', code: 'invalid_request' },
    {
      why: 'a common new one',
      current: undefined,
      wanted: 'password1234567',
      code: 'password_too_common',
    },
  ])('$why changes nothing', async ({ current, wanted, code }, { app, user }) => {
    const refused = await changePassword(app, user.accessToken, current ?? user.password, wanted)

    const login = await logIn(app, user.username, user.password)
    expect(refused.body['code']).toBe(code)
    expect(login.status).toBe(200)
  })
})

describe('DELETE /account', () => {
  test('needs the password', async ({ app, user }) => {
    const { accessToken: token } = user

    const wrong = await call(app.url, 'DELETE', '/account', { token, json: { password: 'wrong' } })
    const none = await call(app.url, 'DELETE', '/account', { token, json: {} })

    expect([wrong.status, none.status]).toEqual([401, 400])
    expect(wrong.body).toMatchObject({ code: 'invalid_credentials', sign_in_again: false })
    expect((await call(app.url, 'GET', '/account', { token })).status).toBe(200)
  })

  test('frees the name, and its next owner has nothing of the last', async ({ app, user }) => {
    const { accessToken: token, username, password } = user
    const photo = memberOf(await upload(app, user), 'photo')
    await call(app.url, 'DELETE', '/account', { token, json: { password } })

    const again = await call(app.url, 'POST', '/registration', { json: { username, password } })
    const next = text(again, 'access_token')

    const { body } = await call(app.url, 'GET', '/photos', { token: next })
    const old = await call(app.url, 'GET', `/photos/${String(photo['id'])}`, { token: next })
    expect(again.status).toBe(201)
    expect(body).toEqual({ photos: [] })
    expect(old.status).toBe(404)
  })

  test('a deleted user is answered like an unknown name', async ({ app, user }) => {
    const { accessToken: token, username, password } = user
    await call(app.url, 'DELETE', '/account', { token, json: { password } })

    const [deleted, unknown] = await Promise.all([
      logIn(app, username, password),
      logIn(app, `${username}-unknown`, password),
    ])

    expect({ ...deleted.body, request_id: '' }).toEqual({ ...unknown.body, request_id: '' })
  })
})

describe('GET /account/export', () => {
  test('PRIV-02 has the account, its devices and all photos, and no hash and no signed address', async ({
    app,
    user,
  }) => {
    const { accessToken: token } = user
    const photos = [await upload(app, user), await upload(app, user)].map((uploaded) => {
      return memberOf(uploaded, 'photo')
    })
    await upload(app, await registerUser(app.url))

    const answer = await call(app.url, 'GET', '/account/export', { token })

    const all = JSON.stringify(answer.body)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(Object.keys(answer.body)).toEqual(['exported_at', 'account', 'sessions', 'photos'])
    expect(memberOf(answer, 'account')).toMatchObject({ username: user.username, role: 'user' })
    expect(recordsOf(answer.body['sessions'])).toEqual([
      {
        id: expect.any(String),
        name: 'Unnamed device',
        created_at: expect.any(String),
        last_used_at: expect.any(String),
        address: '127.0.0.0/24',
        current: true,
      },
    ])
    expect(recordsOf(answer.body['photos'])).toEqual(
      photos.toReversed().map((photo) => ({
        ...photo,
        content_path: `/photos/${String(photo['id'])}/content`,
      })),
    )
    expect(all).not.toMatch(/argon2|password|_hash|Signature|http/i)
  })
})

describe('what belongs to others', () => {
  const MISSING = 'A1b2C3d4E5f6G7h8I9j0K1'

  test('AZ-02 a stranger gets 404 for every photo and session, as for those that are not there', async ({
    app,
    user,
  }) => {
    const owner = await registerUser(app.url)
    const photo = String(memberOf(await upload(app, owner), 'photo')['id'])
    const listed = await call(app.url, 'GET', '/sessions', { token: owner.accessToken })
    const session = String(recordsOf(listed.body['sessions'])[0]?.['id'])
    const ask = async (method: string, path: string) => {
      const { status, body } = await call(app.url, method, path, { token: user.accessToken })
      return { status, body: { ...body, request_id: '' } }
    }

    for (const [method, foreign, missing] of [
      ['GET', `/photos/${photo}`, `/photos/${MISSING}`],
      ['GET', `/photos/${photo}/content`, `/photos/${MISSING}/content`],
      ['DELETE', `/photos/${photo}`, `/photos/${MISSING}`],
      ['DELETE', `/sessions/${session}`, `/sessions/${MISSING}`],
      ['POST', `/uploads/${photo}/complete`, `/uploads/${MISSING}/complete`],
    ] as const) {
      const answer = await ask(method, foreign)
      expect([404, 204]).toContain(answer.status)
      expect(answer).toEqual(await ask(method, missing))
    }

    const { accessToken: token } = owner
    expect((await call(app.url, 'GET', `/photos/${photo}`, { token })).status).toBe(200)
    expect((await call(app.url, 'GET', '/sessions', { token })).status).toBe(200)
  })
})

const IDS = [
  { why: 'two dots', id: '%2e%2e' },
  { why: 'a slash', id: 'a%2Fb' },
  { why: 'a reserved name', id: '__x__' },
  { why: '1,501 bytes', id: 'x'.repeat(1501) },
  { why: 'NUL', id: '%00' },
  { why: 'a half character', id: '%ff' },
  { why: 'a field path', id: 'a.b' },
  { why: 'a space', id: 'a%20b' },
  { why: 'another script', id: '%D0%B0' },
]

/** The path as it stands: `fetch` would resolve the dots in it. */
async function statusOf(app: App, token: string, method: string, path: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  const sent = request(app.url, { method, path, headers }).end()
  const [answer]: { statusCode?: number; resume(): void }[] = await once(sent, 'response')
  answer?.resume()
  return answer?.statusCode ?? 0
}

const TOKENS = [
  ...IDS.slice(2).map(({ why, id }) => ({ why, token: id })),
  { why: 'a reserved name within', token: Buffer.from('1.__x__').toString('base64url') },
  {
    why: 'a time beyond all times',
    token: Buffer.from('999999999999999.abc').toString('base64url'),
  },
]

describe('ids in paths', () => {
  test.for(IDS)('DATA-02 $why as an id is refused, never 500', async ({ id }, { app, user }) => {
    const { accessToken: token } = user

    const statuses = [
      await statusOf(app, token, 'GET', `/photos/${id}`),
      await statusOf(app, token, 'DELETE', `/photos/${id}`),
      await statusOf(app, token, 'GET', `/photos/${id}/content`),
      await statusOf(app, token, 'POST', `/uploads/${id}/complete`),
      await statusOf(app, token, 'DELETE', `/sessions/${id}`),
    ]

    for (const status of statuses) expect([400, 404]).toContain(status)
  })

  test.for(TOKENS)('$why as a page token is 400', async ({ token }, { app, user }) => {
    const path = `/photos?page_token=${token}`

    expect(await statusOf(app, user.accessToken, 'GET', path)).toBe(400)
  })
})
