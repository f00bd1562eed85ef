import { test as base, describe, expect, vi } from 'vitest'
import { type App, call, registerUser, startApp } from '../app.ts'
import { runCommand } from './command.ts'
import { COUNT, callAll, ENDED, refresh, tally } from './every-function.ts'

vi.setConfig({ testTimeout: 120_000 })

/** What touches everybody has an `npm start` of its own. */
const test = base
  .extend('app', { scope: 'file' }, async ({}, { onCleanup }) => {
    const app = await startApp()
    onCleanup(() => app.close())
    return app
  })
  .extend('user', async ({ app }) => await registerUser(app.url))

async function admin(app: App, ...args: readonly string[]): Promise<number | null> {
  return (await runCommand('admin', args, { WOWMEDIA_DATA_DIR: app.dataDir })).code
}

describe('what the operator does, every function knows on the next call', () => {
  test('after the operator signed out all devices', async ({ app, user }) => {
    const code = await admin(app, 'revoke-sessions', user.username)

    const answers = await callAll(app.url, user.accessToken, COUNT)

    expect(code).toBe(0)
    expect(tally(answers)).toEqual(ENDED)
    expect(await refresh(app.url, user.refreshToken)).toBe(401)
  })

  test('after the operator deleted the user', async ({ app, user }) => {
    const code = await admin(app, 'delete-user', user.username)

    const answers = await callAll(app.url, user.accessToken, COUNT)

    expect(code).toBe(0)
    expect(tally(answers)).toEqual(ENDED)
  })

  test('after DELETE /users all others are refused, and the admin stays', async ({ app }) => {
    const [operator, user, second] = [
      await registerUser(app.url),
      await registerUser(app.url),
      await registerUser(app.url),
    ]
    await admin(app, 'grant', operator.username)
    await admin(app, 'grant', second.username)

    const token = operator.accessToken
    const counted = await call(app.url, 'DELETE', '/users?dry_run=true', { token })
    const deleted = await call(app.url, 'DELETE', '/users', { token })
    const answers = await callAll(app.url, user.accessToken, COUNT)
    const ofAdmin = await callAll(app.url, second.accessToken, COUNT)

    expect(deleted.body).toEqual(counted.body)
    expect(tally(answers)).toEqual(ENDED)
    expect(tally(ofAdmin)).toEqual(ENDED)
    const { status } = await call(app.url, 'GET', '/account', { token })
    expect(status).toBe(200)
  })
})
