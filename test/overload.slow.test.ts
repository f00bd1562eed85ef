/** Beyond what one process can do, callers are told to come again, memory stays, and it recovers by itself. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, type App, call, registerUser, startApp, type User } from './app.ts'
import { minimalPng } from './faults/photos.ts'
import { holdingOf } from './soak/gauge.ts'

const LOGINS = 1_000
const UPLOADS = 300
const USERS = 10
/** What a process may take on top, however much is asked of it at once. */
const MORE_MEGABYTES = 400
/** More than any machine hashes at once, and as few as may wait: nobody is refused, all cores are busy. */
const HASHES_AT_ONCE = 16
/** Hashes take all cores that there are, so an upload shares them; it must not wait behind the logins. */
const MOST_TIMES = 12

let app: App
let users: readonly User[]
beforeAll(async () => {
  app = await startApp({
    env: { UPLOAD_LIMIT: '100000/minute', LOGIN_LIMIT_PER_ACCOUNT: '100000/15minutes' },
  })
})
// Users of its own for each: more than 20 logins end the sessions of before.
beforeEach(async () => {
  const registered: User[] = []
  for (let at = 0; at < USERS; at += 1) registered.push(await registerUser(app.url))
  users = registered
})
afterAll(() => app.close())

const photo = minimalPng(700)

const logIn = ({ username, password }: User) =>
  call(app.url, 'POST', '/login', { json: { username, password } })
const upload = ({ accessToken: token }: User, body = photo) =>
  call(app.url, 'POST', '/file', { token, body, headers: { 'content-type': 'image/png' } })

/** So many calls at once by all users in turn. */
function atOnce(count: number, ask: (user: User) => Promise<Answer>): Promise<Answer[]> {
  const callers = Array.from({ length: Math.ceil(count / USERS) }, () => users).flat()
  return Promise.all(callers.slice(0, count).map(ask))
}

/** What is refused says when to come again. */
function expectServedOrLater(answers: readonly Answer[], served: number): void {
  for (const { status, headers } of answers) {
    expect([served, 429, 503]).toContain(status)
    if (status !== served) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  }
  expect(answers.some(({ status }) => status === served)).toBe(true)
}

/** By how many megabytes the process grew; 0 where that is not told. */
async function grownDuring(work: () => Promise<unknown>): Promise<number> {
  const before = await holdingOf(app.process.pid)
  let most = before?.megabytes ?? 0
  const sampling = setInterval(async () => {
    most = Math.max(most, (await holdingOf(app.process.pid))?.megabytes ?? 0)
  }, 50)
  await work()
  clearInterval(sampling)
  return most - (before?.megabytes ?? 0)
}

describe('overload', () => {
  test(`of ${LOGINS} logins at once each is served or told when to come again, and then all is as before`, {
    timeout: 120_000,
  }, async () => {
    let answers: readonly Answer[] = []
    const grown = await grownDuring(async () => {
      answers = await atOnce(LOGINS, logIn)
    })

    expectServedOrLater(answers, 200)
    expect(answers.filter(({ status }) => status === 503).length).toBeGreaterThan(0)
    expect(grown).toBeLessThan(MORE_MEGABYTES)
    const after = await atOnce(1, logIn)
    expect(after.map(({ status }) => status)).toEqual([200])
  })

  test(`of ${UPLOADS} uploads at once each is stored or told when to come again, and then all is as before`, {
    timeout: 120_000,
  }, async () => {
    let answers: readonly Answer[] = []
    const grown = await grownDuring(async () => {
      answers = await atOnce(UPLOADS, (user) => upload(user))
    })

    expectServedOrLater(answers, 201)
    expect(grown).toBeLessThan(MORE_MEGABYTES)
    const after = await atOnce(1, (user) => upload(user))
    expect(after.map(({ status }) => status)).toEqual([201])
  })

  test('a flood of logins does not hold uploads up, although one process serves both here', {
    timeout: 120_000,
  }, async () => {
    const [user] = users
    if (user === undefined) throw new Error('nobody was registered')
    const timesOf = async () => {
      const times: number[] = []
      for (let again = 0; again < 9; again += 1) {
        const began = performance.now()
        expect((await upload(user, minimalPng(100, again))).status).toBe(201)
        times.push(performance.now() - began)
      }
      return times.toSorted((one, other) => one - other)[4] ?? 0
    }
    await timesOf()
    const alone = await timesOf()
    let isOver = false
    const flood = Array.from({ length: HASHES_AT_ONCE }, async (_, at) => {
      while (!isOver) await logIn(users[at % USERS] ?? user)
    })
    const flooded = await timesOf()
    isOver = true
    await Promise.all(flood)

    expect(flooded / alone).toBeLessThan(MOST_TIMES)
  })
})
