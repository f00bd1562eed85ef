import { describe, expect } from 'vitest'
import { type App, call, text, type User } from '../app.ts'
import { test } from '../with-app.ts'
import { COUNT, callAll, ENDED, refresh, tally } from './every-function.ts'

async function logIn(app: App, { username, password }: User): Promise<User> {
  const answer = await call(app.url, 'POST', '/login', { json: { username, password } })
  return {
    username,
    password,
    accessToken: text(answer, 'access_token'),
    refreshToken: text(answer, 'refresh_token'),
  }
}

describe('from the answer on, the old tokens are refused by every function', () => {
  test('SES-10 after a logout with the access token', async ({ app, user }) => {
    await callAll(app.url, user.accessToken, 4)
    const left = await call(app.url, 'POST', '/logout/access', { token: user.accessToken })

    const answers = await callAll(app.url, user.accessToken, COUNT)

    expect(left.status).toBe(200)
    expect(tally(answers)).toEqual(ENDED)
    expect(await refresh(app.url, user.refreshToken)).toBe(401)
  })

  test('after a logout with the refresh token', async ({ app, user }) => {
    await call(app.url, 'POST', '/logout/refresh', { token: user.refreshToken })

    const answers = await callAll(app.url, user.accessToken, COUNT)

    expect(tally(answers)).toEqual(ENDED)
    expect(await refresh(app.url, user.refreshToken)).toBe(401)
  })

  test('after a password change on another device', async ({ app, user }) => {
    const other = await logIn(app, user)
    const passwords = { current_password: user.password, new_password: 'an entirely new secret' }
    const changed = await call(app.url, 'PUT', '/account/password', {
      token: other.accessToken,
      json: passwords,
    })

    const answers = await callAll(app.url, user.accessToken, COUNT)

    expect(changed.status).toBe(204)
    expect(tally(answers)).toEqual(ENDED)
    expect(await refresh(app.url, user.refreshToken)).toBe(401)
    expect((await call(app.url, 'GET', '/account', { token: other.accessToken })).status).toBe(200)
    expect(await refresh(app.url, other.refreshToken)).toBe(200)
  })

  test('after the deletion of the account', async ({ app, user }) => {
    const deleted = await call(app.url, 'DELETE', '/account', {
      token: user.accessToken,
      json: { password: user.password },
    })

    const answers = await callAll(app.url, user.accessToken, COUNT)

    expect(deleted.status).toBe(204)
    expect(tally(answers)).toEqual(ENDED)
    expect(await refresh(app.url, user.refreshToken)).toBe(401)
  })
})
