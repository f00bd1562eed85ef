import { test as base, describe, expect, vi } from 'vitest'
import { openDatabase } from '../../shared/store/firestore.ts'
import { type Answer, type App, call, registerUser, startApp, text, type User } from '../app.ts'
import { png } from '../image/build-png.ts'
import { runCommand } from './command.ts'

vi.setConfig({ testTimeout: 120_000 })

type Crowd = { readonly app: App; readonly admin: User; readonly others: readonly User[] }

/** One `npm start` and its admin for all tests: each deletes at most the users of others. */
const test = base
  .extend('installation', { scope: 'file' }, async ({}, { onCleanup }) => {
    const app = await startApp()
    onCleanup(() => app.close())
    const { username, password } = await registerUser(app.url)
    const environment = { WOWMEDIA_DATA_DIR: app.dataDir }
    const { code, output } = await runCommand('admin', ['grant', username], environment)
    if (code !== 0) throw new Error(output)
    return { app, username, password }
  })
  .extend('crowd', async ({ installation: { app, username, password } }) => {
    const json = { username, password }
    const login = await call(app.url, 'POST', '/login', { json })
    const others: User[] = []
    while (others.length < 5) others.push(await registerUser(app.url))
    const [accessToken, refreshToken] = [text(login, 'access_token'), text(login, 'refresh_token')]
    return { app, admin: { ...json, accessToken, refreshToken }, others }
  })

type Listed = Readonly<Record<string, unknown>>

function usersIn({ body }: Answer): readonly Listed[] {
  return Array.isArray(body['users']) ? body['users'] : []
}

function list({ app, admin }: Crowd, query: string): Promise<Answer> {
  return call(app.url, 'GET', `/users${query}`, { token: admin.accessToken })
}

async function upload({ app }: Crowd, user: User | undefined): Promise<void> {
  const headers = { 'content-type': 'image/png' }
  await call(app.url, 'POST', '/file', { token: user?.accessToken ?? '', body: png(), headers })
}

describe('GET /users', () => {
  test('AZ-03 lists every user once, page by page, with exactly the documented fields', async ({
    crowd,
  }) => {
    await upload(crowd, crowd.others[0])
    const pages: Answer[] = []
    let query = '?page_size=4'
    while (query !== '') {
      const page = await list(crowd, query)
      pages.push(page)
      const token = page.body['next_page_token']
      query = typeof token === 'string' ? `?page_size=4&page_token=${token}` : ''
    }

    const users = pages.flatMap(usersIn)
    const [first, ...newest] = [users[0], ...users.slice(-5)]
    expect(pages.map((page) => usersIn(page).length)).toEqual(
      pages.map((_, index) => (index < pages.length - 1 ? 4 : ((users.length - 1) % 4) + 1)),
    )
    expect(new Set(users.map((user) => user['id'])).size).toBe(users.length)
    expect(first).toMatchObject({ username: crowd.admin.username, role: 'admin' })
    expect(newest.map(({ id, created_at, ...shown }) => shown)).toEqual(
      crowd.others.map(({ username }, index) => {
        return { username, role: 'user', photo_count: index === 0 ? 1 : 0 }
      }),
    )
    expect(JSON.stringify(pages.map(({ body }) => body))).not.toMatch(/hash|epoch|counter/)
  })

  test.for([
    '?page_size=0',
    '?page_size=101',
    '?page_size=x',
    '?page_token=',
    '?page_token=x',
    '?size=1',
  ])('%s is 400', async (query, { crowd }) => {
    expect((await list(crowd, query)).status).toBe(400)
  })
})

describe('DELETE /users', () => {
  const remove = ({ app, admin }: Crowd, query = '') => {
    return call(app.url, 'DELETE', `/users${query}`, { token: admin.accessToken })
  }

  test('a dry run counts what the deletion then removes, and removes nothing', async ({
    crowd,
  }) => {
    await remove(crowd)
    for (const user of [await registerUser(crowd.app.url), await registerUser(crowd.app.url)]) {
      await upload(crowd, user)
    }
    await upload(crowd, crowd.admin)

    const counted = await remove(crowd, '?dry_run=true')
    const listed = usersIn(await list(crowd, ''))
    const removed = await remove(crowd)
    const again = await remove(crowd)

    expect(counted.body).toEqual({ message: '2 row(s) deleted', users: 2, sessions: 2, photos: 2 })
    expect(listed).toHaveLength(3)
    expect(removed.body).toEqual(counted.body)
    expect(again.body).toEqual({ message: '0 row(s) deleted', users: 0, sessions: 0, photos: 0 })
    expect(usersIn(await list(crowd, '')).map((user) => user['photo_count'])).toEqual([1])
  })

  test('the names are free again, and whoever signs up is there to stay', async ({ crowd }) => {
    const [gone] = crowd.others
    await remove(crowd)
    const json = { username: gone?.username, password: 'correct horse battery' }

    const again = await call(crowd.app.url, 'POST', '/registration', { json })
    const login = await call(crowd.app.url, 'POST', '/login', { json })

    expect([again.status, login.status]).toEqual([201, 200])
    expect(usersIn(await list(crowd, ''))).toHaveLength(2)
  })

  test('a password of more than 5 minutes ago is not enough, but for a dry run', async ({
    crowd,
  }) => {
    const { environment } = crowd.app
    const setting = (name: string) => environment[name] ?? ''
    Object.assign(process.env, environment)
    const database = openDatabase({
      GOOGLE_CLOUD_PROJECT: setting('GOOGLE_CLOUD_PROJECT'),
      FIRESTORE_DATABASE: setting('FIRESTORE_DATABASE'),
    })
    const sessions = await database.client().collection('sessions').get()
    const old = new Date(Date.now() - 301_000)
    await Promise.all(sessions.docs.map((document) => document.ref.update({ auth_time: old })))
    await database.client().terminate()

    const before = usersIn(await list(crowd, ''))
    const refused = await remove(crowd)
    const counted = await remove(crowd, '?dry_run=true')

    expect([refused.status, counted.status]).toEqual([401, 200])
    expect(refused.body).toMatchObject({ code: 'reauthentication_required', sign_in_again: true })
    expect(refused.headers.get('www-authenticate')).toContain('insufficient_user_authentication')
    expect(usersIn(await list(crowd, ''))).toEqual(before)
  })

  test.for([
    '?dry_run=',
    '?dry_run=1',
    '?dry_run=TRUE',
    '?dry_run=true&dry_run=false',
    '?dryrun=true',
  ])('%s is 400 and deletes nothing', async (query, { crowd }) => {
    const before = usersIn(await list(crowd, ''))

    const refused = await remove(crowd, query)

    expect(refused.status).toBe(400)
    expect(usersIn(await list(crowd, ''))).toEqual(before)
  })
})
