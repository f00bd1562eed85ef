import { describe, expect } from 'vitest'
import { randomName, text } from '../app.ts'
import {
  age,
  type Local,
  logIn,
  PASSWORD,
  refresh,
  register,
  sessionIdOf,
  storedSession,
  test,
  tokensOf,
  useToken,
} from './local.ts'

const HOUR = 3_600_000

async function listedIds(local: Local, token: string): Promise<readonly string[]> {
  const { sessions } = (await useToken(local.url, token)).body
  return Array.isArray(sessions) ? sessions.map(({ id }) => String(id)) : []
}

/** Everything that the database holds, as text and as bytes. */
async function dump(local: Local): Promise<readonly Buffer[]> {
  const collections = await local.database.client().listCollections()
  const found: Buffer[] = []
  const take = (value: unknown): void => {
    if (value instanceof Uint8Array) found.push(Buffer.from(value))
    else if (typeof value === 'string') found.push(Buffer.from(value))
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(take)
  }
  for (const collection of collections) {
    for (const document of (await collection.get()).docs) {
      found.push(Buffer.from(document.id))
      take(document.data())
    }
  }
  return found
}

describe('sessions', () => {
  test('SES-01 are 20 at most: the 21st login ends the one that was not used for longest', {
    timeout: 120_000,
  }, async ({ local }) => {
    const username = randomName()
    const all = [tokensOf(await register(local.url, username))]
    while (all.length < 20) all.push(tokensOf(await logIn(local.url, username)))
    const [first, second] = all
    if (first === undefined || second === undefined) throw new Error('no tokens')
    await age(local, second.access, 2 * HOUR)
    const before = await listedIds(local, first.access)

    const last = tokensOf(await logIn(local.url, username))
    const after = await listedIds(local, last.access)

    expect(before).toHaveLength(20)
    expect(after).toHaveLength(20)
    expect(after).not.toContain(sessionIdOf(second.access))
    expect((await storedSession(local, second.access)).revokeReason).toBe('too_many_sessions')
    expect((await useToken(local.url, second.access)).body['code']).toBe('session_ended')
    expect((await useToken(local.url, first.access)).status).toBe(200)
    expect(new Set(all.map(({ access }) => sessionIdOf(access))).size).toBe(20)
  })

  test('of parallel logins are 20 at most, too', { timeout: 120_000 }, async ({ local }) => {
    const username = randomName()
    const first = tokensOf(await register(local.url, username))
    for (let count = 0; count < 17; count += 1) await logIn(local.url, username)

    const answers = await Promise.all(Array.from({ length: 6 }, () => logIn(local.url, username)))

    const opened = answers.filter(({ status }) => status === 200)
    expect(opened.length).toBeGreaterThanOrEqual(3)
    const live = await listedIds(local, text(opened[0] ?? answers[0] ?? failed(), 'access_token'))
    expect(live).toHaveLength(20)
    expect(live).not.toContain(sessionIdOf(first.access))
  })

  test('SES-02 are stored without any token or password that was used', {
    timeout: 120_000,
  }, async ({ local }) => {
    const username = randomName()
    const first = tokensOf(await register(local.url, username))
    const second = tokensOf(await refresh(local.url, first.refresh))
    const third = tokensOf(await logIn(local.url, username))
    await useToken(local.url, second.access)
    const secrets = [first, second, third].flatMap(({ access, refresh: token }) => [
      access,
      ...access.split('.').slice(1),
      token,
      token.slice('wmr_'.length),
    ])
    const asBytes = [first, second, third].map(({ refresh: token }) =>
      Buffer.from(token.slice('wmr_'.length), 'base64url').subarray(36),
    )

    const stored = await dump(local)

    for (const kept of [username, sessionIdOf(first.access), sessionIdOf(third.access)]) {
      expect(stored.some((value) => value.equals(Buffer.from(kept)))).toBe(true)
    }
    for (const wanted of [...secrets, PASSWORD]
      .map((secret) => Buffer.from(secret))
      .concat(asBytes)) {
      expect(stored.some((value) => value.includes(wanted))).toBe(false)
    }
    expect((await refresh(local.url, second.access)).body['code']).toBe('token_invalid')
    expect((await useToken(local.url, second.refresh)).body['code']).toBe('token_invalid')
  })
})

function failed(): never {
  throw new Error('no login succeeded')
}
