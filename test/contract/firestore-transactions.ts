import { setTimeout as sleep } from 'node:timers/promises'
import { FieldValue, Timestamp } from '@google-cloud/firestore'
import { expect } from 'vitest'
import type { Check, Place } from './firestore-check.ts'
import { code, type Message } from './firestore-raw.ts'

/** Counts how often the callback of a transaction runs. */
export function counted<T>(
  { db }: Place,
  work: (t: FirebaseFirestore.Transaction, attempt: number) => Promise<T>,
  options?: FirebaseFirestore.ReadWriteTransactionOptions,
): { result: Promise<T>; attempts: () => number } {
  let attempts = 0
  const result = db.runTransaction((t) => {
    attempts += 1
    return work(t, attempts)
  }, options)
  result.catch(() => undefined)
  return { result, attempts: () => attempts }
}

async function begin({ raw, database }: Place, options: Message = {}): Promise<Buffer> {
  const [answer] = await raw.call('BeginTransaction', { database, options })
  const id = answer?.['transaction']
  if (!Buffer.isBuffer(id)) throw new Error('no transaction id')
  return id
}

export const times = <T>(count: number, work: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => work(n))

/** Matrix 2.5: one transaction at a time. */
export const transactionChecks: readonly Check[] = [
  {
    id: 'G01 G02 G17 G35',
    it: 'reads and writes documents, counts and queries in transactions',
    run: async ({ db, c }) => {
      await c.doc('a').set({ n: 1 })
      await db.runTransaction(async (t) => {
        const document = await t.get(c.doc('a'))
        t.update(c.doc('a'), { n: document.get('n') + 1 })
      })
      await db.runTransaction(async (t) => {
        const document = await t.get(c.doc('b'))
        if (!document.exists) t.create(c.doc('b'), { n: 5 })
      })
      const count = await db.runTransaction(async (t) => (await t.get(c.count())).data().count)
      await db.runTransaction(async (t) => {
        for (const document of (await t.get(c.orderBy('n'))).docs)
          t.update(document.ref, { n: FieldValue.increment(10) })
      })

      expect(count).toBe(2)
      expect((await c.get()).docs.map((document) => document.get('n'))).toEqual([12, 15])
    },
  },
  {
    id: 'G03 G23 G34',
    it: 'writes nothing when the callback throws, refuses reads after writes, allows nothing at all',
    run: async (at) => {
      const { db, c } = at
      const thrown = counted(at, async (t) => {
        await t.get(c.doc('a'))
        t.set(c.doc('a'), { n: 1 })
        throw new RangeError('mine')
      })
      const late = counted(at, async (t) => {
        t.set(c.doc('a'), { n: 1 })
        return t.get(c.doc('a'))
      })

      await expect(thrown.result).rejects.toThrow('mine')
      expect(thrown.attempts()).toBe(1)
      expect(await code(late.result)).toBe('SDK')
      expect(await code(db.runTransaction(async () => undefined))).toBe('OK')
      expect((await c.doc('a').get()).exists).toBe(false)
    },
  },
  {
    id: 'G04 G05 G22',
    it: 'fails a broken precondition in one attempt',
    run: async (at) => {
      const { c } = at
      const stale = (await c.doc('a').set({ n: 1 })).writeTime
      await c.doc('a').update({ n: 2 })
      const blind = counted(at, async (t) => t.create(c.doc('a'), { n: 3 }))
      const reading = counted(at, async (t) => {
        await t.get(c.doc('b'))
        t.create(c.doc('a'), { n: 3 })
      })
      const outdated = counted(at, async (t) => {
        await t.get(c.doc('b'))
        t.update(c.doc('a'), { n: 3 }, { lastUpdateTime: stale })
      })

      expect(await code(blind.result)).toBe('ALREADY_EXISTS')
      expect(await code(reading.result)).toBe('ALREADY_EXISTS')
      expect(await code(outdated.result)).toBe('FAILED_PRECONDITION')
      expect([blind, reading, outdated].map(({ attempts }) => attempts())).toEqual([1, 1, 1])
    },
  },
  {
    id: 'G06',
    it: 'lets an outside write wait for the end of the transaction',
    run: async (at) => {
      const { c } = at
      await c.doc('a').set({ n: 0 })
      let outside: Promise<unknown> = Promise.resolve()
      const inside = counted(at, async (t) => {
        await t.get(c.doc('a'))
        outside = c.doc('a').set({ n: 100 })
        await sleep(100)
        t.update(c.doc('a'), { n: 1 })
      })
      await inside.result
      await outside

      expect((await c.doc('a').get()).get('n')).toBe(100)
      expect(inside.attempts()).toBe(1)
    },
  },
  {
    id: 'G07',
    it: 'gives way to an outside write that it waits for itself',
    run: async (at) => {
      const { c, allows } = at
      await c.doc('a').set({ n: 0 })
      const inside = counted(at, async (t, attempt) => {
        const document = await t.get(c.doc('a'))
        if (attempt === 1) await c.doc('a').set({ n: 100 })
        t.update(c.doc('a'), { n: document.get('n') + 1 })
      })
      const outcome = await code(inside.result)
      const n = (await c.doc('a').get()).get('n')

      if (allows('G07')) expect([outcome, n]).toEqual(['INVALID_ARGUMENT', 100])
      else expect([outcome, n, inside.attempts()]).toEqual(['OK', 101, 2])
    },
  },
  {
    id: 'G13 G14',
    it: 'reads a snapshot in a read-only transaction, blocking nobody',
    run: async ({ db, c }) => {
      await c.doc('a').set({ n: 1 })
      await c.doc('b').set({ n: 1 })
      const seen = await db.runTransaction(
        async (t) => {
          const before = await t.get(c.doc('a'))
          await c.doc('a').set({ n: 2 })
          await c.doc('b').set({ n: 2 })
          const again = await t.get(c.doc('a'))
          const other = await t.get(c.where('n', '==', 1))
          return [before.get('n'), again.get('n'), other.size]
        },
        { readOnly: true },
      )

      expect(seen).toEqual([1, 1, 2])
      expect((await c.doc('a').get()).get('n')).toBe(2)
    },
  },
  {
    id: 'G15',
    it: 'never answers a read of the past with the present',
    run: async ({ db, c, allows }) => {
      await c.doc('a').set({ n: 1 })
      const readTime = (await c.doc('a').get()).readTime
      await c.doc('a').set({ n: 2 })
      const past = db.runTransaction(async (t) => (await t.get(c.doc('a'))).get('n'), {
        readOnly: true,
        readTime: Timestamp.fromMillis(readTime.toMillis()),
      })
      const outcome = await past.catch((error: unknown) => code(Promise.reject(error)))

      expect(outcome === 2).toBe(false)
      if (!allows('G15')) expect(outcome).toBe('UNIMPLEMENTED')
    },
  },
  {
    id: 'G16',
    it: 'keeps new documents out of a query that a transaction has read',
    run: async (at) => {
      const { c } = at
      await c.doc('a').set({ n: 1 })
      let outside: Promise<unknown> = Promise.resolve()
      const inside = counted(at, async (t) => {
        const found = await t.get(c.where('n', '>', 0))
        outside = c.doc('b').set({ n: 1 })
        await sleep(100)
        t.set(c.doc('count'), { count: found.size })
      })
      await inside.result
      await outside

      expect((await c.doc('count').get()).get('count')).toBe(1)
      expect((await c.doc('b').get()).exists).toBe(true)
      expect(inside.attempts()).toBe(1)
    },
  },
  {
    id: 'G24 G25',
    it: 'sends the id of a new transaction alone, before any document',
    run: async ({ raw, database, name, c }) => {
      const newTransaction = { readWrite: {} }
      const documents = [name('missing')]
      const got = await raw.call('BatchGetDocuments', { database, documents, newTransaction })
      const structuredQuery = { from: [{ collectionId: c.id }] }
      const parent = `${database}/documents`
      const found = await raw.call('RunQuery', { parent, structuredQuery, newTransaction })
      const shape = (messages: readonly Message[]) =>
        messages.map(({ done: _, ...message }) => Object.keys(message).sort())

      expect(shape(got)).toEqual([['transaction'], ['missing', 'readTime']])
      expect(shape(found)).toEqual([['transaction'], ['readTime']])
      for (const [message] of [got, found])
        await raw.call('Rollback', { database, transaction: message?.['transaction'] })
    },
  },
  {
    id: 'G26',
    it: 'does not let an abandoned transaction block for ever',
    run: async (at) => {
      const { raw, database, c, name } = at
      await c.doc('a').set({ n: 1 })
      const transaction = await begin(at)
      await raw.call('BatchGetDocuments', { database, documents: [name('a')], transaction })

      expect(await code(c.doc('a').set({ n: 2 }))).toBe('OK')
      expect((await c.doc('a').get()).get('n')).toBe(2)
    },
  },
  {
    id: 'G31 G33',
    it: 'returns large results, and asks for no authorisation',
    run: async (at) => {
      const { c, raw, name } = at
      await Promise.all(times(6, (n) => c.doc(`d${n}`).set({ s: 'x'.repeat(900_000) })))

      expect((await c.get()).size).toBe(6)
      expect(await code(raw.call('GetDocument', { name: name('d0') }))).toBe('OK')
    },
  },
  {
    id: 'G18 G19 G20 G21',
    it: 'refuses unknown, finished and read-only transactions at commit',
    run: async (at) => {
      const { raw, database, name } = at
      const writes = [{ update: { name: name('a'), fields: {} } }]
      const commit = (transaction: Buffer) =>
        code(raw.call('Commit', { database, writes, transaction }))
      const rollback = (transaction: Buffer) =>
        code(raw.call('Rollback', { database, transaction }))
      const unknown = Buffer.from('unknown')
      const twice = await begin(at)
      const back = await begin(at)
      const readOnly = await begin(at, { readOnly: {} })
      const first = [await commit(twice), await rollback(back)]
      const refused = [
        await commit(unknown),
        await commit(twice),
        await commit(back),
        await rollback(unknown),
        await commit(readOnly),
      ]

      expect(first).toEqual(['OK', 'OK'])
      expect(refused).toEqual(refused.map(() => 'INVALID_ARGUMENT'))
    },
  },
]
