import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type App, call, registerUser, startApp, text } from '../app.ts'
import { startNode } from '../processes.ts'
import { type Description, members, servedDescription } from './description.ts'
import { type Answer, observe } from './observe.ts'
import { type FuzzedRequest, fuzzedRequest } from './requests.ts'

const RUNS = process.env['FULL'] === '1' ? 2000 : 200
const INSIDE = /\bat .*:\d+:\d+|node_modules|\/shared\/|\/functions\/|[A-Z][a-z]+Error\b/

/** Somebody who is signed in, and signs in again where a request ended that. */
class Person {
  readonly #url: string
  readonly #credentials: { readonly username: string; readonly password: string }
  #token: string | undefined

  constructor(url: string, credentials: { readonly username: string; readonly password: string }) {
    this.#url = url
    this.#credentials = credentials
  }

  async token(): Promise<string> {
    if (this.#token !== undefined) return this.#token
    const answer = await call(this.#url, 'POST', '/login', { json: this.#credentials })
    this.#token = text(answer, 'access_token')
    return this.#token
  }

  signedOut(): void {
    this.#token = undefined
  }
}

let app: App
let description: Description
let admin: Person
const ids: string[] = []

beforeAll(async () => {
  app = await startApp({
    env: { UPLOAD_LIMIT: '100000/minute', LOGIN_LIMIT_PER_ACCOUNT: '100000/minute' },
  })
  description = await servedDescription(app.url)
  const { username, password } = await registerUser(app.url)
  const grant = startNode(['infra/run.js', 'admin', 'grant', username], {
    WOWMEDIA_DATA_DIR: app.dataDir,
  })
  expect(await grant.ended, grant.output()).toBe(0)
  admin = new Person(app.url, { username, password })
})
afterAll(async () => {
  await app?.close()
})

async function freshUser(): Promise<Person> {
  const { username, password } = await registerUser(app.url)
  return new Person(app.url, { username, password })
}

function pathOf({ operation, params, query }: FuzzedRequest): string {
  const filled = operation.path.replace(/\{(\w+)\}/g, (_all, name: string) => {
    const given = params[name] ?? ''
    const value = typeof given === 'number' ? (ids[given % Math.max(ids.length, 1)] ?? 'x') : given
    return encodeURIComponent(value)
  })
  const search = new URLSearchParams(
    query.map(([name, value]): [string, string] => [name, value]),
  ).toString()
  return search === '' ? filled : `${filled}?${search}`
}

function keepIds(answer: Answer): void {
  const found = [answer.body['id'], members(answer.body['photo'])['id']]
  for (const id of found) if (typeof id === 'string' && ids.length < 100) ids.unshift(id)
}

function judge(answer: Answer): void {
  expect(answer.complaints).toEqual([])
  expect(answer.status, answer.text).toBeLessThan(500)
  if (answer.status >= 400) expect(answer.text).not.toMatch(INSIDE)
}

async function sentBy(person: Person | undefined, { token, body, headers }: FuzzedRequest) {
  if (headers['authorization'] !== undefined) return { body, headers }
  return { body, headers, token: token === 'wrong' ? 'no.token.ours' : await person?.token() }
}

/** What may end the sessions of the one who asks. */
const ENDING = /logout|sessions|account|DELETE \/users/

test(
  'whatever is sent, the answer is described, no 5xx, and tells nothing of the inside',
  async () => {
    let user = await freshUser()
    const statuses = new Set<number>()
    await fc.assert(
      fc.asyncProperty(fuzzedRequest(description), async (request) => {
        const { key } = request.operation
        const person = { user, admin, none: undefined, wrong: undefined }[request.token]
        const sent = await sentBy(person, request)

        const answer = await observe({ url: app.url, description }, key, pathOf(request), sent)

        judge(answer)
        statuses.add(answer.status)
        keepIds(answer)
        if (key === 'DELETE /users' && answer.status < 300) user = await freshUser()
        if (ENDING.test(key) || answer.status === 401) person?.signedOut()
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: RUNS * 1_000, markInterruptAsFailure: true },
    )
    expect([...statuses].toSorted()).toEqual(expect.arrayContaining([200, 204, 400, 401, 404]))
  },
  RUNS * 1_000 + 60_000,
)
