import { rm } from 'node:fs/promises'
import { test as base, describe, expect, vi } from 'vitest'
import { localEnvironment } from '../../infra/local/environment.ts'
import { localIndexes } from '../../infra/local/indexes.ts'
import { openLocalCloud } from '../../infra/local/local-cloud.ts'
import { removeAccount } from '../../shared/store/account-deletion.ts'
import { beginDeletion, unfinishedDeletions } from '../../shared/store/deletions.ts'
import { type Database, openDatabase } from '../../shared/store/firestore.ts'
import { openPhotoFiles } from '../../shared/store/photo-files.ts'
import { removeMarkedAccounts } from '../../shared/store/removal-run.ts'
import { askSession } from '../../shared/store/upload-session.ts'
import { newDataDir } from '../app.ts'
import { leftOf, type StoredAccount, type Stores, storeAccount } from './stored-account.ts'

vi.setConfig({ testTimeout: 120_000 })

const test = base.extend('stores', { scope: 'file' }, async ({}, { onCleanup }) => {
  const dataDir = await newDataDir()
  const cloud = await openLocalCloud({ dataDir, bucket: 'photos', indexes: await localIndexes() })
  Object.assign(process.env, localEnvironment(cloud, dataDir, {}), { PHOTO_BUCKET: 'photos' })
  const database = openDatabase({ GOOGLE_CLOUD_PROJECT: 'test', FIRESTORE_DATABASE: '(default)' })
  database.client()
  onCleanup(async () => {
    await database.client().terminate()
    await cloud.close()
    await rm(dataDir, { recursive: true, force: true })
  })
  return { database, files: openPhotoFiles({ PHOTO_BUCKET: 'photos' }) }
})

const NOW = new Date()
/** When no upload of before can still be writing. */
const LATER = new Date(NOW.getTime() + 3_600_000)

class Killed extends Error {}

/** The stores of a process that dies with its n-th call; the call itself is made, and nobody hears of its outcome. */
function dyingAfter(stores: Stores, calls: number): Stores {
  let left = calls
  const last = async <T>(work: Promise<T>): Promise<T> => {
    if (left <= 0) throw new Killed()
    left -= 1
    const outcome = await work
    if (left === 0) throw new Killed()
    return outcome
  }
  const { database, files } = stores
  const dying: Database = {
    ...database,
    read: (work) => last(database.read(work)),
    getAll: (...references) => last(database.getAll(...references)),
    commit: (write) => last(database.commit(write)),
    transaction: (work) => last(database.transaction(work)),
  }
  return { database: dying, files: { ...files, remove: (name) => last(files.remove(name)) } }
}

async function removeAll(stores: Stores, account: StoredAccount, now: Date) {
  await beginDeletion(stores.database, account, NOW)
  const { userId: id, username, counterId } = account
  return await removeAccount({
    ...stores,
    user: { id, username, counterId },
    now,
    isLate: () => false,
  })
}

/** True where the process lived long enough. */
async function survives(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof Killed) return false
    throw error
  }
}

async function sweep({ database, files }: Stores, now: Date) {
  return await removeMarkedAccounts({ database, files, now, isLate: () => false })
}

describe('the deletion of an account', () => {
  test('leaves no document and no object, once no upload can still be writing', async ({
    stores,
  }) => {
    const account = await storeAccount(stores, NOW)
    const before = await leftOf(stores, account)

    const soon = await removeAll(stores, account, NOW)
    const between = await leftOf(stores, account)
    const later = await sweep(stores, LATER)

    expect(before.length).toBeGreaterThanOrEqual(18)
    expect(soon).toEqual({ removed: { users: 0, sessions: 2, photos: 2 }, finished: false })
    expect(between).toContain(`usernames/${account.username}`)
    expect(later).toEqual({ removed: { users: 1, sessions: 0, photos: 0 }, finished: true })
    expect(await leftOf(stores, account)).toEqual([])
    expect(await askSession(account.sessionUrl)).toEqual({ state: 'gone' })
  })

  test('PRIV-01 may be killed at each step: the sweep removes the rest, and the name goes last', async ({
    stores,
  }) => {
    let steps = 0
    for (let alive = false; !alive; steps += 1) {
      const account = await storeAccount(stores, NOW)
      const dying = dyingAfter(stores, steps + 1)

      alive = await survives(() => removeAll(dying, account, LATER))
      const left = await leftOf(stores, account)
      const swept = await sweep(stores, LATER)

      const hasName = left.includes(`usernames/${account.username}`)
      expect({ steps, left: hasName ? [] : left }).toEqual({ steps, left: [] })
      expect(swept.finished).toBe(true)
      expect({ steps, left: await leftOf(stores, account) }).toEqual({ steps, left: [] })
    }
    expect(steps).toBeGreaterThan(15)
  })

  test('two runs at once remove it once', async ({ stores }) => {
    const account = await storeAccount(stores, NOW)

    const runs = await Promise.all([1, 2, 3].map(() => removeAll(stores, account, LATER)))

    expect(runs.reduce((sum, { removed }) => sum + removed.users, 0)).toBe(1)
    expect(await leftOf(stores, account)).toEqual([])
  })

  test('goes on after the time is up', async ({ stores }) => {
    const account = await storeAccount(stores, NOW)
    await beginDeletion(stores.database, account, NOW)

    const { finished } = await removeMarkedAccounts({ ...stores, now: LATER, isLate: () => true })
    const waiting = await unfinishedDeletions(stores.database, 10)
    await sweep(stores, LATER)

    expect(finished).toBe(false)
    expect(waiting.map(({ id }) => id)).toContain(account.userId)
    expect(await leftOf(stores, account)).toEqual([])
  })

  test('a stale run does not take the name of a later account', async ({ stores }) => {
    const first = await storeAccount(stores, NOW)
    await removeAll(stores, first, LATER)
    const second = { ...(await storeAccount(stores, NOW)) }

    const stale = await removeAll(stores, { ...first, username: second.username }, LATER)

    expect(stale.removed.users).toBe(0)
    expect(await leftOf(stores, second)).toContain(`usernames/${second.username}`)
  })
})
