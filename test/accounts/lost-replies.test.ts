import { randomUUID } from 'node:crypto'
import { describe, expect } from 'vitest'
import { decodeHits } from '../../shared/domain/sliding-window.ts'
import type { Database } from '../../shared/store/firestore.ts'
import { openLogin } from '../../shared/store/login-attempts.ts'
import { rateLimitDocument, takePlaceIn } from '../../shared/store/rate-limits.ts'
import { test } from './local-database.ts'

const FIVE_A_MINUTE = [{ count: 5, windowSeconds: 60 }]
const LIMITS = { LOGIN_LIMIT_PER_ADDRESS: FIVE_A_MINUTE, LOGIN_LIMIT_PER_ACCOUNT: FIVE_A_MINUTE }

/** The first commit is applied, its reply is lost, and its repeat loses against it (F03). */
function losingFirstReply(database: Database): Database {
  let lost = false
  return {
    ...database,
    commit: async (write) => {
      const outcome = await database.commit(write)
      const isFirst = !lost
      lost = true
      return isFirst ? 'lost' : outcome
    },
  }
}

/** The first commit fails before it is applied, with others in between (F02). */
function losingFirstRace(database: Database, others: () => Promise<unknown>): Database {
  let lost = false
  return {
    ...database,
    commit: async (write) => {
      if (!lost) {
        lost = true
        await others()
      }
      return await database.commit(write)
    },
  }
}

async function hitsOf(database: Database, id: string) {
  return decodeHits((await rateLimitDocument(database, id).get()).get('hits'))
}

describe('a counter', () => {
  test('counts once where the reply of its commit was lost', async ({ store }) => {
    const id = randomUUID()

    const verdict = await takePlaceIn(losingFirstReply(store.database), id, FIVE_A_MINUTE)

    expect(verdict).toMatchObject({ admitted: true, repeated: true })
    expect(await hitsOf(store.database, id)).toHaveLength(1)
  })

  test('DATA-03 is decided anew where others were faster', async ({ store }) => {
    const { database } = store
    const id = randomUUID()
    const others = () => {
      return Promise.all(Array.from({ length: 5 }, () => takePlaceIn(database, id, FIVE_A_MINUTE)))
    }
    const verdict = await takePlaceIn(losingFirstRace(database, others), id, FIVE_A_MINUTE)

    expect((await hitsOf(database, id)).length).toBe(5)
    expect(verdict.admitted).toBe(false)
  })

  test('of a login takes one place where the reply of its commit was lost', async ({ store }) => {
    const keys = { address: randomUUID(), account: randomUUID(), network: randomUUID() }
    const attempt = openLogin(losingFirstReply(store.database), keys, LIMITS)

    const verdict = await attempt.count()
    await attempt.fail()

    const next = await openLogin(store.database, keys, LIMITS).count()
    expect(verdict.admitted).toBe(true)
    expect(next.failures).toBe(1)
  })
})
