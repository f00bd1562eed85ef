/**
 * Nothing that one user does takes longer because there are many others: the same calls on a small and on a large
 * database, in turn, so that a busy machine slows both alike. LARGE=1 is the whole 100,000 users with 1,000,000
 * photos; a fiftieth of it is what fits into a run of all tests.
 */
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Database, openDatabase } from '../shared/store/firestore.ts'
import { type App, call, newDataDir, registerUser, startCloud, text, type User } from './app.ts'
import { startInstance } from './faults/faulty-app.ts'
import { addPhotos, fill, PHOTOS_EACH } from './large/fill.ts'
import { startNode } from './processes.ts'
import { userIdOf } from './uploads/stored-app.ts'

const SMALL = 200
const LARGE = process.env['LARGE'] === '1' ? 100_000 : 2_000
const PROBES = 21
/** What a deletion cannot do within its call is left to the sweep, so the first few may not need all indexes. */
const PREPARING = 4
/** A scan of the large database would be fifty times slower. */
const MOST_TIMES = 3
const FILL_MS = 1_500_000

type Side = {
  readonly url: string
  /** One for each probe, and the last few for what goes before them. */
  readonly users: readonly User[]
  readonly admin: User
  close(): Promise<void>
}

async function filledWith(accounts: number) {
  const dataDir = await newDataDir()
  const cloud = await startCloud(dataDir)
  const database = databaseOf(cloud)
  await fill(database, accounts)
  return { dataDir, cloud, database }
}

/** After all is filled, which takes longer than a token lives. */
async function openSide({
  dataDir,
  cloud,
  database,
}: Awaited<ReturnType<typeof filledWith>>): Promise<Side> {
  const instance = await startInstance({ ...cloud.environment, ACCESS_TOKEN_SECONDS: '900' })
  const users: User[] = []
  for (let at = 0; at < PROBES + PREPARING; at += 1) {
    const user = await registerUser(instance.url)
    await database.commit((write) => addPhotos(write, database, userIdOf(user), PHOTOS_EACH))
    users.push(user)
  }
  const admin = await registerUser(instance.url)
  const grant = ['infra/run.js', 'admin', 'grant', admin.username]
  const granted = startNode(grant, { ...cloud.environment, WOWMEDIA_DATA_DIR: dataDir })
  if ((await granted.ended) !== 0) throw new Error(granted.output())
  await database.client().terminate()
  return {
    url: instance.url,
    users,
    admin,
    close: async () => {
      await instance.process.stop()
      await cloud.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

function databaseOf({ environment }: Omit<App, 'url'>): Database {
  Object.assign(process.env, environment)
  return openDatabase({
    GOOGLE_CLOUD_PROJECT: environment['GOOGLE_CLOUD_PROJECT'] ?? '',
    FIRESTORE_DATABASE: environment['FIRESTORE_DATABASE'] ?? '',
  })
}

let small: Side
let large: Side
beforeAll(async () => {
  const many = await filledWith(LARGE)
  const few = await filledWith(SMALL)
  small = await openSide(few)
  large = await openSide(many)
}, FILL_MS)
afterAll(async () => {
  await Promise.all([small?.close(), large?.close()])
})

type Probe = (side: Side, user: User) => Promise<number>

const PROBED: readonly { readonly what: string; readonly probe: Probe; readonly status: number }[] =
  [
    { what: 'the list of photos', status: 200, probe: get('/photos?page_size=10') },
    { what: 'the own account', status: 200, probe: get('/account') },
    {
      what: 'a login',
      status: 200,
      probe: async ({ url }, { username, password }) =>
        (await call(url, 'POST', '/login', { json: { username, password } })).status,
    },
    {
      what: 'a refresh',
      status: 200,
      probe: async ({ url }, { refreshToken: token }) =>
        (await call(url, 'POST', '/token/refresh', { token })).status,
    },
    {
      what: 'a page in the middle of all users',
      status: 200,
      probe: async ({ url, admin }) => {
        const first = await call(url, 'GET', '/users?page_size=100', { token: admin.accessToken })
        const query = `?page_size=100&page_token=${text(first, 'next_page_token')}`
        return (await call(url, 'GET', `/users${query}`, { token: admin.accessToken })).status
      },
    },
    {
      what: 'the deletion of one account',
      status: 204,
      probe: async ({ url }, { accessToken: token, password }) =>
        (await call(url, 'DELETE', '/account', { token, json: { password } })).status,
    },
  ]

function get(path: string): Probe {
  return async ({ url }, { accessToken: token }) => (await call(url, 'GET', path, { token })).status
}

/**
 * The local Firestore makes the index of a kind of query when it is first asked, from all documents; until that is
 * done callers get 503. Only what comes after is timed.
 */
async function prepare(side: Side, probe: Probe): Promise<void> {
  for (const user of side.users.slice(PROBES)) {
    let again = 0
    while ((await probe(side, user)) === 503) {
      again += 1
      if (again === 60) throw new Error('503 for ever')
    }
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
}

/** What all other accounts went with, and how long each took that was removed within the call. */
async function deleteAll({ url, users: [user], admin }: Side) {
  const { username, password } = admin
  const login = await call(url, 'POST', '/login', { json: { username, password } })
  const began = performance.now()
  const answer = await call(url, 'DELETE', '/users', { token: text(login, 'access_token') })
  const milliseconds = performance.now() - began
  const token = user?.accessToken ?? ''
  const next = await call(url, 'GET', '/account', { token })
  return { answer, next, each: milliseconds / Number(answer.body['users']) }
}

// The last one leaves nobody behind.
describe('whatever the number of others', { shuffle: false }, () => {
  test.each(PROBED)(
    `$what takes as long with ${LARGE} users and ${LARGE * PHOTOS_EACH} photos as with ${SMALL} users`,
    { timeout: 300_000 },
    async ({ what, probe, status }) => {
      const times = { small: [] as number[], large: [] as number[] }
      const statuses = new Set<number>()
      const timed = async (side: Side, at: number) => {
        const [first] = side.users
        const user = side.users[at] ?? first
        if (user === undefined) throw new Error('nobody was registered')
        const began = performance.now()
        statuses.add(await probe(side, user))
        return performance.now() - began
      }
      for (const side of [small, large]) await prepare(side, probe)
      for (let at = 0; at < PROBES; at += 1) {
        times.small.push(await timed(small, at))
        times.large.push(await timed(large, at))
      }
      const ratio = median(times.large) / median(times.small)
      process.stdout.write(
        `${what}: ${median(times.small).toFixed(1)} and ${median(times.large).toFixed(1)} ms, ratio ${ratio.toFixed(2)}\n`,
      )

      expect([...statuses]).toEqual([status])
      expect(ratio).toBeLessThan(MOST_TIMES)
    },
  )

  test('the deletion of all counts on the next call, and each account takes as long', {
    timeout: 300_000,
  }, async () => {
    const [before, few, after] = [
      await deleteAll(large),
      await deleteAll(small),
      await deleteAll(large),
    ]
    const many = before.each < after.each ? before : after
    const ratio = many.each / few.each
    process.stdout.write(
      `deletion of all: ${few.each.toFixed(1)} and ${many.each.toFixed(1)} ms an account, ratio ${ratio.toFixed(2)}\n`,
    )

    for (const { answer } of [before, few, after]) expect([200, 202]).toContain(answer.status)
    expect(before.answer.body).toMatchObject({ finished: false })
    expect([few.next.status, many.next.status]).toEqual([401, 401])
    expect(ratio).toBeLessThan(MOST_TIMES)
  })
})
