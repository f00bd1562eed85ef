import { randomUUID } from 'node:crypto'
import { describe, expect } from 'vitest'
import { parseRates } from '../../shared/domain/rate.ts'
import type { Database } from '../../shared/store/firestore.ts'
import {
  openConfirmation,
  openLogin,
  startAccountCounter,
} from '../../shared/store/login-attempts.ts'
import type { LoginKeys } from '../../shared/store/login-seats.ts'
import { rateLimitDocument } from '../../shared/store/rate-limits.ts'
import { test } from './local-database.ts'

const LIMITS = {
  LOGIN_LIMIT_PER_ADDRESS: parseRates('30/minute') ?? [],
  LOGIN_LIMIT_PER_ACCOUNT: parseRates('10/15minutes') ?? [],
}
const OPEN = { ...LIMITS, LOGIN_LIMIT_PER_ADDRESS: parseRates('100000/minute') ?? [] }

function newKeys(): LoginKeys {
  return { address: randomUUID(), account: randomUUID(), network: `net-${randomUUID()}` }
}

/** One login from its read to its outcome; what the caller would see. */
async function login(
  database: Database,
  keys: LoginKeys,
  isRight: boolean,
  limits: typeof LIMITS = LIMITS,
) {
  const attempt = openLogin(database, keys, limits)
  const { documents, readAt } = await database.getAll(...attempt.references)
  const read = attempt.judge(documents, readAt)
  const verdict = read.admitted ? await attempt.count() : read
  if (!verdict.admitted)
    return { status: 429, policy: verdict.policy, wait: verdict.retryAfterSeconds }
  if (!isRight) {
    await attempt.fail()
    return { status: 401 }
  }
  await database.commit((transaction) => attempt.succeed(transaction))
  return { status: 200 }
}

async function times<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let done = 0; done < count; done += 1) results.push(await work())
  return results
}

describe('an account', () => {
  test('the sixth wrong password in a row has to wait a second', async ({ store }) => {
    const keys = newKeys()

    const outcomes = await times(6, () => login(store.database, keys, false))

    expect(outcomes.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429])
    expect(outcomes[5]).toMatchObject({ policy: 'login-account', wait: 1 })
  })

  test('guesses from everywhere else leave the known network as it was', async ({ store }) => {
    const { database } = store
    const owner = newKeys()
    await database.commit((write) => startAccountCounter(write, database, owner, new Date()))

    const guesses = await times(8, () => {
      const elsewhere = { ...newKeys(), account: owner.account }
      return login(database, elsewhere, false)
    })

    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(5)
    expect(await login(database, owner, true)).toEqual({ status: 200 })
  })

  test('a success clears the failures of its bucket and makes the network known', async ({
    store,
  }) => {
    const { database } = store
    const keys = newKeys()
    await times(4, () => login(database, keys, false))
    await login(database, keys, true)

    const elsewhere = { ...newKeys(), account: keys.account }
    await times(6, () => login(database, elsewhere, false))

    const again = await times(5, () => login(database, keys, false))
    expect(again.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401])
  })

  test('the owner who confirms a password is not kept from it by guesses from outside', async ({
    store,
  }) => {
    const { database } = store
    const keys = newKeys()
    await times(6, () => login(database, keys, false))

    const attempt = openConfirmation(database, keys.account, LIMITS)

    expect(await attempt.count()).toMatchObject({ admitted: true })
  })

  test('wrong passwords of a session count with those of everyone else', async ({ store }) => {
    const { database } = store
    const keys = newKeys()
    await times(5, async () => {
      const attempt = openConfirmation(database, keys.account, LIMITS)
      await attempt.count()
      await attempt.fail()
    })

    const byLogin = await login(database, keys, true)
    const bySession = await openConfirmation(database, keys.account, LIMITS).count()

    expect(byLogin).toMatchObject({ status: 429, wait: 1 })
    expect(bySession).toMatchObject({ admitted: false, policy: 'login-account' })
  })

  test('of 40 parallel wrong passwords for one account at most 10 are checked', async ({
    store,
  }) => {
    const { database } = store
    const { account } = newKeys()

    const outcomes = await Promise.all(
      Array.from({ length: 40 }, () => login(database, { ...newKeys(), account }, false)),
    )

    const checked = outcomes.filter(({ status }) => status === 401).length
    expect(checked).toBeGreaterThanOrEqual(5)
    expect(checked).toBeLessThanOrEqual(10)
  })
})

describe('an address', () => {
  test('thirty failures a minute, for whatever names', async ({ store }) => {
    const { address } = newKeys()

    const outcomes = await times(32, () => login(store.database, { ...newKeys(), address }, false))

    expect(outcomes.filter(({ status }) => status === 401)).toHaveLength(30)
    expect(outcomes[31]).toMatchObject({ status: 429, policy: 'login-address' })
  })

  test('logins that succeed are given back, so that many phones may share an address', async ({
    store,
  }) => {
    const { address } = newKeys()

    const outcomes = await times(40, () => login(store.database, { ...newKeys(), address }, true))

    expect(outcomes.filter(({ status }) => status === 200)).toHaveLength(40)
  })

  test('logins in flight hold their places, for 5 s at most', async ({ store }) => {
    const { database } = store
    const { address } = newKeys()
    await times(30, () => openLogin(database, { ...newKeys(), address }, LIMITS).count())

    const next = await login(database, { ...newKeys(), address }, true)

    expect(next).toMatchObject({ status: 429, policy: 'login-address' })
    expect(next.wait).toBeLessThanOrEqual(5)
  })
})

describe('cost and faults', () => {
  test('a login reads once and counts with one commit', async ({ store }) => {
    const { database } = store
    store.newRequests()

    await login(database, newKeys(), false)

    expect(store.newRequests()).toEqual(['BatchGetDocuments', 'Commit', 'Commit'])
  })

  test('a refusal is answered from the read alone', async ({ store }) => {
    const { database } = store
    const keys = newKeys()
    await times(5, () => login(database, keys, false))
    store.newRequests()

    const refused = await login(database, keys, false)

    expect(refused.status).toBe(429)
    expect(store.newRequests()).toEqual(['BatchGetDocuments'])
  })

  test('a failure that is reported twice counts once', async ({ store }) => {
    const { database } = store
    const keys = newKeys()
    await times(3, () => login(database, keys, false))
    const attempt = openLogin(database, keys, LIMITS)
    await attempt.count()
    await attempt.fail()
    await attempt.fail()

    const next = openLogin(database, keys, LIMITS)

    expect(await next.count()).toMatchObject({ admitted: true, failures: 4 })
  })

  test('a success fails where the counter was deleted with its account meanwhile', async ({
    store,
  }) => {
    const { database } = store
    const keys = newKeys()
    const attempt = openLogin(database, keys, LIMITS)
    await attempt.count()
    await database.commit((write) => write.delete(rateLimitDocument(database, keys.account)))

    const outcome = await database.commit((write) => attempt.succeed(write))

    expect(outcome).toBe('lost')
  })

  test('nothing of an address or a name is stored in the clear', async ({ store }) => {
    const { database } = store
    const keys = newKeys()
    await login(database, keys, true, OPEN)

    const document = await rateLimitDocument(database, keys.account).get()

    expect(Object.keys(document.get('networks'))).toEqual([keys.network])
    expect(Object.keys(document.data() ?? {}).toSorted()).toEqual([
      'buckets',
      'networks',
      'purge_at',
    ])
  })

  test('a counter with known networks is kept for 30 days, one of failures for a day and an hour', async ({
    store,
  }) => {
    const { database } = store
    const [known, guessed] = [newKeys(), newKeys()]
    await login(database, known, true)
    await login(database, guessed, false)

    const hoursLeft = async ({ account }: LoginKeys) => {
      const read = await rateLimitDocument(database, account).get()
      return Math.round((read.get('purge_at').toMillis() - Date.now()) / 3_600_000)
    }

    expect(await hoursLeft(known)).toBe(720)
    expect(await hoursLeft(guessed)).toBe(25)
  })
})
