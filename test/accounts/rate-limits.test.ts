import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { decodeHits, encodeHits } from '../../shared/domain/sliding-window.ts'
import { openWindow, rateLimitDocument, takePlaceIn } from '../../shared/store/rate-limits.ts'
import { test } from './local-database.ts'

const FIVE_A_MINUTE = [{ count: 5, windowSeconds: 60 }]

test('of 100 parallel requests exactly 5 are admitted', async ({ store }) => {
  const id = randomUUID()

  const verdicts = await Promise.all(
    Array.from({ length: 100 }, () => takePlaceIn(store.database, id, FIVE_A_MINUTE)),
  )

  expect(verdicts.filter(({ admitted }) => admitted)).toHaveLength(5)
  const stored = await rateLimitDocument(store.database, id).get()
  expect(decodeHits(stored.get('hits'))).toHaveLength(5)
})

test('a full window is answered from a plain read, without a write', async ({ store }) => {
  const id = randomUUID()
  for (let count = 0; count < 5; count += 1) await takePlaceIn(store.database, id, FIVE_A_MINUTE)
  store.newRequests()

  const sixth = await takePlaceIn(store.database, id, FIVE_A_MINUTE)

  expect(sixth.admitted).toBe(false)
  expect(store.newRequests()).toEqual(['BatchGetDocuments'])
})

test('the log is one value of 8 bytes a hit, and 100,000 of them fit', async ({ store }) => {
  const id = randomUUID()
  const rates = [{ count: 100_000, windowSeconds: 86_400 }]
  const now = Date.now()
  const hits = encodeHits(
    Array.from({ length: 99_999 }, (_, index) => ({ atMs: now - 99_999 + index, mark: index })),
  )
  await rateLimitDocument(store.database, id).set({ hits })

  const last = await takePlaceIn(store.database, id, rates)
  const over = await takePlaceIn(store.database, id, rates)

  const stored = await rateLimitDocument(store.database, id).get()
  expect(stored.get('hits')).toHaveLength(800_000)
  expect([last.admitted, over.admitted]).toEqual([true, false])
})

test('the clock of an instance decides nothing', async ({ store }) => {
  const id = randomUUID()
  const window = openWindow(store.database, id, FIVE_A_MINUTE)
  const { documents, readAt } = await store.database.getAll(window.reference)
  for (const document of documents) window.judge(document, readAt)

  await window.count()

  const stored = await rateLimitDocument(store.database, id).get()
  expect(decodeHits(stored.get('hits'))[0]?.atMs).toBe(readAt.getTime())
})

test('PRIV-03 a counter that is over but still there counts for nothing', async ({ store }) => {
  const id = randomUUID()
  const old = Date.now() - 61_000
  const hits = encodeHits([1, 2, 3, 4, 5].map((mark) => ({ atMs: old, mark })))
  await rateLimitDocument(store.database, id).set({ hits, purge_at: new Date(old) })

  const verdict = await takePlaceIn(store.database, id, FIVE_A_MINUTE)

  expect(verdict.windows[0]?.remaining).toBe(4)
})
