import { readFile, stat } from 'node:fs/promises'
import { test as base, describe, expect, vi } from 'vitest'
import { type App, call, registerUser, startApp } from '../app.ts'
import { type CommandResult, runCommand } from './command.ts'

/** Each command is a process; several make a test. */
vi.setConfig({ testTimeout: 120_000 })

const test = base
  .extend('app', { scope: 'file' }, async ({}, { onCleanup }) => {
    const app = await startApp()
    onCleanup(() => app.close())
    return app
  })
  .extend('keys', async ({ app }) => (...args: readonly string[]) => {
    return runCommand('keys', args, { WOWMEDIA_DATA_DIR: app.dataDir })
  })

type Listed = { readonly kid: string; readonly state: string }

function listedIn({ output }: CommandResult): readonly Listed[] {
  const lines = output.trim().split('\n')
  return lines.map((line) => {
    const [kid = '', state = ''] = line.split(/\s+/)
    return { kid, state: state.replace(',', '') }
  })
}

async function publishedKids(app: App): Promise<readonly string[]> {
  const { body } = await call(app.url, 'GET', '/.well-known/jwks.json')
  return JSON.stringify(body).match(/(?<="kid":")[^"]+/g) ?? []
}

function kidOf(token: string): unknown {
  const [header = ''] = token.split('.')
  const parsed: unknown = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
  return Object.fromEntries(Object.entries(parsed ?? {}))['kid']
}

async function status(app: App, token: string): Promise<number> {
  return (await call(app.url, 'GET', '/account', { token })).status
}

describe('npm run keys beside a running npm start', () => {
  test('rotate signs with the new key at once, and nobody is refused meanwhile', async ({
    app,
    keys,
  }) => {
    const before = await registerUser(app.url)
    const statuses = new Set<number>()
    const load = { running: true }
    const calls = (async () => {
      while (load.running) {
        statuses.add(await status(app, before.accessToken))
        const { accessToken } = await registerUser(app.url)
        statuses.add(await status(app, accessToken))
      }
    })()

    const rotated = await keys('rotate')
    const [newest] = listedIn(await keys('list'))
    await expect
      .poll(async () => kidOf((await registerUser(app.url)).accessToken), { timeout: 10_000 })
      .toBe(newest?.kid)
    load.running = false
    await calls

    expect(rotated.code).toBe(0)
    expect([...statuses]).toEqual([200])
    expect(await publishedKids(app)).toContain(newest?.kid)
  })

  test('retire refuses the tokens of a key whatever their age, within 5 s', async ({
    app,
    keys,
  }) => {
    const user = await registerUser(app.url)
    await keys('rotate')

    const retired = await keys('retire', String(kidOf(user.accessToken)))

    expect(retired.code).toBe(0)
    await expect.poll(() => status(app, user.accessToken), { timeout: 10_000 }).toBe(401)
    const refreshed = await call(app.url, 'POST', '/token/refresh', { token: user.refreshToken })
    expect(refreshed.status).toBe(200)
  })

  test('list shows each key, which one signs, and how long the others are needed', async ({
    app,
    keys,
  }) => {
    await keys('rotate')
    const { code, output } = await keys('list')

    const [signing, ...others] = listedIn({ code, output })
    expect(code).toBe(0)
    expect(signing?.state).toBe('signs')
    expect(others.length).toBeGreaterThanOrEqual(1)
    for (const { state } of others) expect(state).toBe('verifies')
    expect(output).toMatch(/needed until 20\d\d-\d\d-\d\dT/)
    await expect
      .poll(() => publishedKids(app), { timeout: 10_000 })
      .toEqual([signing, ...others].map((key) => key?.kid))
  })

  test('the new private key is readable by its owner alone', async ({ app, keys }) => {
    await keys('rotate')

    const path = app.environment['SIGNING_KEY_FILE'] ?? ''

    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readFile(app.environment['JWKS_FILE'] ?? '', 'utf8')).not.toContain('"d"')
  })

  test('the last key, the signing one, an unknown one and an unknown command are one line and exit code 1', async ({
    keys,
  }) => {
    const [only, ...others] = listedIn(await keys('list'))
    for (const { kid } of others) await keys('retire', kid)
    const last = await keys('retire', only?.kid ?? '')
    await keys('rotate')
    const [signing] = listedIn(await keys('list'))

    const refused = [
      last,
      await keys('retire', signing?.kid ?? ''),
      await keys('retire', 'unknown'),
      await keys('retire'),
      await keys('renew'),
      await keys(),
    ]

    expect(refused.map(({ code }) => code)).toEqual([1, 1, 1, 1, 1, 1])
    for (const { output } of refused) expect(output.trim().split('\n')).toHaveLength(1)
  })
})
