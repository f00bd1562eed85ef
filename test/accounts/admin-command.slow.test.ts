import { rm } from 'node:fs/promises'
import { test as base, describe, expect, vi } from 'vitest'
import { call, newDataDir, registerUser, startApp, startCloud } from '../app.ts'
import { runCommand } from './command.ts'

/** Each command is a process that loads an SDK; several make a test. */
vi.setConfig({ testTimeout: 120_000 })

const test = base
  .extend('app', { scope: 'file' }, async ({}, { onCleanup }) => {
    const app = await startApp()
    onCleanup(() => app.close())
    return app
  })
  .extend('user', async ({ app }) => await registerUser(app.url))
  .extend('admin', async ({ app }) => (...args: readonly string[]) => {
    return runCommand('admin', args, { WOWMEDIA_DATA_DIR: app.dataDir })
  })

describe('npm run admin beside a running npm start', () => {
  test('AZ-01 a grant and its revocation take effect on the next call with the same token', async ({
    app,
    user,
    admin,
  }) => {
    const list = () => call(app.url, 'GET', '/users', { token: user.accessToken })

    const before = await list()
    const granted = await admin('grant', user.username.toUpperCase())
    const during = await list()
    const revoked = await admin('revoke', user.username)
    const after = await list()

    expect([granted.code, revoked.code]).toEqual([0, 0])
    expect([before.status, during.status, after.status]).toEqual([403, 200, 403])
    expect(after.body['code']).toBe('admin_required')
  })

  test('list prints each admin on a line, the name first', async ({ app, admin }) => {
    const admins = [await registerUser(app.url), await registerUser(app.url)]
    const other = await registerUser(app.url)
    for (const { username } of admins) await admin('grant', username)

    const { output, code } = await admin('list')

    const names = output.split('\n').map((line) => line.split(/\s/)[0])
    expect(code).toBe(0)
    expect(names).toEqual(expect.arrayContaining(admins.map(({ username }) => username)))
    expect(names).not.toContain(other.username)
  })

  test('delete-user removes the account, and its name is free again', async ({
    app,
    user,
    admin,
  }) => {
    const { code } = await admin('delete-user', user.username)

    const { username, password } = user
    const again = await call(app.url, 'POST', '/registration', { json: { username, password } })

    expect(code).toBe(0)
    expect(again.status).toBe(201)
  })

  test.for([
    { why: 'an unknown command', args: ['promote', 'somebody'] },
    { why: 'a command without its name', args: ['grant'] },
    { why: 'an unknown option', args: ['list', '--force'] },
    { why: 'an unknown name', args: ['grant', 'nobody-at-all'] },
  ])('$why is one line and exit code 1', async ({ args }, { admin }) => {
    const { code, output } = await admin(...args)

    expect(code).toBe(1)
    expect(output.trim().split('\n')).toHaveLength(1)
  })
})

describe('npm run admin elsewhere', () => {
  base('works on the data where nothing runs, and the last admin may go', async () => {
    const dataDir = await newDataDir()
    const first = await startApp({ dataDir })
    const user = await registerUser(first.url)
    await first.process.stop('SIGKILL')
    const admin = (...args: readonly string[]) => {
      return runCommand('admin', args, { WOWMEDIA_DATA_DIR: dataDir })
    }

    const granted = await admin('grant', user.username)
    const listed = await admin('list')
    const deleted = await admin('delete-user', user.username)
    const none = await admin('list')
    await rm(dataDir, { recursive: true, force: true })

    expect([granted.code, listed.code, deleted.code, none.code]).toEqual([0, 0, 0, 0])
    expect(listed.output).toContain(user.username)
    expect(none.output).toBe('')
  })

  base('works on the servers that the environment names', async () => {
    const cloud = await startCloud()

    const { code, output } = await runCommand('admin', ['grant', 'nobody'], cloud.environment)
    await cloud.close()

    expect({ code, output }).toEqual({ code: 1, output: 'There is no user nobody.\n' })
  })
})
