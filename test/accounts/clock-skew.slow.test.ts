import { randomUUID } from 'node:crypto'
import { test as base, expect, vi } from 'vitest'
import { openDatabase } from '../../shared/store/firestore.ts'
import { takePlaceIn } from '../../shared/store/rate-limits.ts'
import { startCloud } from '../app.ts'

vi.setConfig({ testTimeout: 60_000 })

/** Firestore in another process: its clock stays right when this one's is moved. */
const test = base.extend('database', { scope: 'file' }, async ({}, { onCleanup }) => {
  const cloud = await startCloud()
  Object.assign(process.env, cloud.environment)
  const database = openDatabase({ GOOGLE_CLOUD_PROJECT: 'test', FIRESTORE_DATABASE: '(default)' })
  onCleanup(async () => {
    await database.client().terminate()
    await cloud.close()
  })
  return database
})

const FIVE_A_MINUTE = [{ count: 5, windowSeconds: 60 }]

test.for([{ minutes: -5 }, { minutes: 5 }])(
  'RL-03 an instance whose clock is off by $minutes minutes counts like the others',
  async ({ minutes }, { database }) => {
    const id = randomUUID()
    const take = () => takePlaceIn(database, id, FIVE_A_MINUTE)
    const admitted = [await take(), await take(), await take()]

    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + minutes * 60_000 })
    try {
      admitted.push(await take(), await take(), await take())
    } finally {
      vi.useRealTimers()
    }
    admitted.push(await take())

    expect(admitted.map((verdict) => verdict.admitted)).toEqual([
      ...[true, true, true],
      ...[true, true, false],
      false,
    ])
  },
)
