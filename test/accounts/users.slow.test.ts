import { test as base, describe, expect, vi } from 'vitest'
import { openDatabase } from '../../shared/store/firestore.ts'
import { type Answer, type App, call, registerUser, startApp, type User } from '../app.ts'
import { png } from '../image/build-png.ts'
import { runCommand } from './command.ts'

vi.setConfig({ testTimeout: 120_000 })

type Crowd = { readonly app: App; readonly admin: User; readonly others: readonly User[] }

/** An `npm start` with one admin and five more users; what a test here does touches all of them. */
const test = base.extend('crowd', async ({}, { onCleanup }) => {
  const app = await startApp()
  onCleanup(() => app.close())
  const admin = await registerUser(app.url)
  const others: User[] = []
  while (others.length < 5) others.push(await registerUser(app.url))
  await runCommand('admin', ['grant', admin.username], { WOWMEDIA_DATA_DIR: app.dataDir })
  return { app, admin, others }
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
    expect(pages.map((page) => usersIn(page).length)).toEqual([4, 2])
    expect(users.map((user) => user['username'])).toEqual(
      [crowd.admin, ...crowd.others].map(({ username }) => username),
    )
    expect(users.map((user) => user['role'])).toEqual(['admin', ...crowd.others.map(() => 'user')])
    expect(users.map((user) => user['photo_count'])).toEqual([0, 1, 0, 0, 0, 0])
    for (const user of users) {
      const members = ['created_at', 'id', 'photo_count', 'role', 'username']
      expect(Object.keys(user).toSorted()).toEqual(members)
    }
    expect(JSON.stringify(pages.map(({ body }) => body))).not.toMatch(/hash|epoch|counter/)
  })

  test.for([
    '?page_size=0',
    '?page_size=101',
    '?page_size=x',
    '?page_token=',
    '?page_token=x',
    '?size=1',
  ])('HTTP-07 %s is 400', async (query, { crowd }) => {
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
    await upload(crowd, crowd.others[0])
    await upload(crowd, crowd.admin)

    const counted = await remove(crowd, '?dry_run=true')
    const listed = usersIn(await list(crowd, ''))
    const removed = await remove(crowd)
    const again = await remove(crowd)

    expect(counted.body).toEqual({ message: '5 row(s) deleted', users: 5, sessions: 5, photos: 1 })
    expect(listed).toHaveLength(6)
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

    const refused = await remove(crowd)
    const counted = await remove(crowd, '?dry_run=true')

    expect([refused.status, counted.status]).toEqual([401, 200])
    expect(refused.body).toMatchObject({ code: 'reauthentication_required', sign_in_again: true })
    expect(refused.headers.get('www-authenticate')).toContain('insufficient_user_authentication')
    expect(usersIn(await list(crowd, ''))).toHaveLength(6)
  })

  test.for([
    '?dry_run=',
    '?dry_run=1',
    '?dry_run=TRUE',
    '?dry_run=true&dry_run=false',
    '?dryrun=true',
  ])('%s is 400 and deletes nothing', async (query, { crowd }) => {
    const refused = await remove(crowd, query)

    expect(refused.status).toBe(400)
    expect(usersIn(await list(crowd, ''))).toHaveLength(6)
  })
})
