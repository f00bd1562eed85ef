import { FieldValue, type Timestamp } from '@google-cloud/firestore'
import { expect } from 'vitest'
import type { Check } from './firestore-check.ts'
import { code } from './firestore-raw.ts'
import { connect } from './firestore-target.ts'

const { increment, arrayUnion, arrayRemove, serverTimestamp } = FieldValue

/** Matrix 2.3: transforms, batches, raw commits. */
export const writeChecks: readonly Check[] = [
  {
    id: 'D01 D02',
    it: 'writes the time of the commit in whole milliseconds',
    run: async ({ c }) => {
      const { writeTime } = await c
        .doc('a')
        .set({ at: serverTimestamp(), m: { at: serverTimestamp() } })
      const document = await c.doc('a').get()
      const at: Timestamp = document.get('at')

      expect(Math.abs(at.toMillis() - writeTime.toMillis())).toBeLessThan(2000)
      expect(at.nanoseconds % 1_000_000).toBe(0)
      expect(document.get('m.at')).toEqual(at)
    },
  },
  {
    id: 'D03 D04 D05 D06 D13',
    it: 'increments missing values, integers, doubles and what is no number',
    run: async ({ c, host }) => {
      await c.doc('a').set({ i: 0, d: -0.5, s: 'x', five: 5 })
      await c.doc('a').update({
        missing: increment(3),
        i: increment(3),
        d: increment(3),
        s: increment(4),
        five: increment(0.5),
        big: increment(Number.POSITIVE_INFINITY),
      })
      await c.doc('new').create({ n: increment(2) })
      const db = connect(host, { useBigInt: true })
      const near = db.doc(`${c.id}/near`)
      await near.set({ n: 2n ** 63n - 2n })
      await near.update({ n: increment(5) })
      const top = (await near.get()).get('n')
      await db.terminate()

      expect((await c.doc('a').get()).data()).toEqual({
        missing: 3,
        i: 3,
        d: 2.5,
        s: 4,
        five: 5.5,
        big: Number.POSITIVE_INFINITY,
      })
      expect((await c.doc('new').get()).get('n')).toBe(2)
      expect(top).toBe(2n ** 63n - 1n)
    },
  },
  {
    id: 'D07 D08',
    it: 'joins and removes array elements by value',
    run: async ({ c }) => {
      await c.doc('a').set({ l: [1, 2, 2, 3], s: 'x', r: [1, 2, 2, 3, 4], m: [{ x: { y: 1 } }] })
      await c.doc('a').update({
        l: arrayUnion(3, 4, 4),
        missing: arrayUnion('q'),
        s: arrayUnion(1),
        r: arrayRemove(2, 9),
        none: arrayRemove(1),
        m: arrayUnion({ x: { y: 1 } }, { x: { y: 2 } }),
      })

      expect((await c.doc('a').get()).data()).toEqual({
        l: [1, 2, 2, 3, 4],
        missing: ['q'],
        s: [1],
        r: [1, 3, 4],
        none: [],
        m: [{ x: { y: 1 } }, { x: { y: 2 } }],
      })
    },
  },
  {
    id: 'D10 D11 D12',
    it: 'transforms inside merges and on missing documents',
    run: async ({ c }) => {
      await c.doc('a').set({ m: { n: 1, keep: 1 } })
      await c.doc('a').set({ m: { n: increment(2) } }, { merge: true })
      await c.doc('b').set({ m: { n: increment(2) } }, { merge: true })

      expect((await c.doc('a').get()).data()).toEqual({ m: { n: 3, keep: 1 } })
      expect((await c.doc('b').get()).data()).toEqual({ m: { n: 2 } })
      expect(await code(c.doc('x').update({ n: increment(1) }))).toBe('NOT_FOUND')
    },
  },
  {
    id: 'D09 D14 D15',
    it: 'keeps the type of the greater and the smaller number, and reports each result',
    run: async ({ c, raw, database, name }) => {
      await c.doc('a').set({ x: 3, y: 3, z: 3, n: 1 })
      const updateTransforms = [
        { fieldPath: 'x', maximum: { integerValue: 4 } },
        { fieldPath: 'y', maximum: { doubleValue: 3 } },
        { fieldPath: 'z', minimum: { doubleValue: 2.5 } },
        { fieldPath: 'n', increment: { integerValue: 1 } },
        { fieldPath: 'n', increment: { integerValue: 1 } },
        { fieldPath: 'l', appendMissingElements: { values: [{ integerValue: 1 }] } },
        { fieldPath: 't', setToServerValue: 'REQUEST_TIME' },
      ]
      const update = { name: name('a'), fields: {} }
      const writes = [{ update, updateMask: {}, updateTransforms }]
      const [answer] = await raw.call('Commit', { database, writes })

      expect(answer).toMatchObject({
        writeResults: [
          {
            transformResults: [
              { integerValue: '4' },
              { integerValue: '3' },
              { doubleValue: 2.5 },
              { integerValue: '2' },
              { integerValue: '3' },
              { nullValue: 'NULL_VALUE' },
              { timestampValue: expect.anything() },
            ],
          },
        ],
      })
      expect((await c.doc('a').get()).data()).toMatchObject({ x: 4, y: 3, z: 2.5, n: 3, l: [1] })
    },
  },
  {
    id: 'E01 E02 E03 E04',
    it: 'applies a batch in order, at one time, wholly or not at all',
    run: async ({ db, c }) => {
      await c.doc('there').set({ n: 1 })
      const failing = db.batch().set(c.doc('a'), { n: 1 }).create(c.doc('there'), { n: 2 })
      const failed = await code(failing.commit())
      const results = await db
        .batch()
        .set(c.doc('b'), { n: 1, m: 1 })
        .update(c.doc('b'), { n: 2 })
        .create(c.doc('d'), { n: 1 })
        .delete(c.doc('d'))
        .create(c.doc('d'), { n: 3 })
        .delete(c.doc('there'))
        .set(c.doc('there'), { n: 4 })
        .commit()

      expect(failed).toBe('ALREADY_EXISTS')
      expect((await c.doc('a').get()).exists).toBe(false)
      expect((await c.doc('b').get()).data()).toEqual({ n: 2, m: 1 })
      expect((await c.doc('d').get()).data()).toEqual({ n: 3 })
      expect((await c.doc('there').get()).data()).toEqual({ n: 4 })
      expect(new Set(results.map(({ writeTime }) => writeTime.valueOf())).size).toBe(1)
    },
  },
  {
    id: 'E05 E06 E08',
    it: 'takes batches of 501 and 2000 writes, and empty ones',
    run: async ({ db, c }) => {
      const sizes = [501, 2000, 0]
      const written = []
      for (const size of sizes) {
        const batch = db.batch()
        for (let n = 0; n < size; n += 1) batch.set(c.doc(`d${n}`), { n, size })
        written.push((await batch.commit()).length)
      }

      expect(written).toEqual(sizes)
      expect((await c.count().get()).data().count).toBe(2000)
    },
  },
  {
    id: 'E07',
    it: 'takes requests up to 10 MiB',
    run: async ({ raw, database, name, allows }) => {
      const outcomes = []
      for (const megabytes of [3.9, 5, 9.9, 12]) {
        const count = Math.ceil(megabytes)
        const fields = { s: { stringValue: 'x'.repeat((megabytes * 1_000_000) / count - 100) } }
        const writes = Array.from({ length: count }, (_, n) => ({
          update: { name: name(`m${n}`), fields },
        }))
        outcomes.push(await code(raw.call('Commit', { database, writes })))
      }
      const refused = 'RESOURCE_EXHAUSTED'
      const real = ['OK', refused, refused, refused]

      expect(outcomes).toEqual(allows('E07') ? real : ['OK', 'OK', 'OK', 'INVALID_ARGUMENT'])
    },
  },
  {
    id: 'E09',
    it: 'writes in bulk, each write with its own outcome',
    run: async ({ db, c }) => {
      await c.doc('d7').set({ n: -1 })
      const bulk = db.bulkWriter()
      bulk.onWriteError(() => false)
      const outcomes = Array.from({ length: 50 }, (_, n) =>
        code(bulk.create(c.doc(`d${n}`), { n })),
      )
      await bulk.close()
      const refused = (await Promise.all(outcomes)).filter((outcome) => outcome !== 'OK')

      expect(refused).toEqual(['ALREADY_EXISTS'])
      expect((await c.get()).size).toBe(50)
    },
  },
  {
    id: 'E10',
    it: 'refuses a document twice in one batch write',
    run: async ({ raw, database, name }) => {
      const write = { update: { name: name('a'), fields: {} } }

      expect(await code(raw.call('BatchWrite', { database, writes: [write, write] }))).toBe(
        'INVALID_ARGUMENT',
      )
    },
  },
  {
    id: 'E12 E15',
    it: 'refuses names of another project and writes without an operation',
    run: async ({ raw, database, name, allows }) => {
      const other = name('a').replace('demo-contract', 'demo-other')
      const elsewhere = raw.call('Commit', {
        database,
        writes: [{ update: { name: other, fields: {} } }],
      })

      expect(await code(elsewhere)).toBe(allows('E12') ? 'OK' : 'INVALID_ARGUMENT')
      expect(await code(raw.call('Commit', { database, writes: [{}] }))).toBe('INVALID_ARGUMENT')
    },
  },
  {
    id: 'E13 E14',
    it: 'holds existence against each write',
    run: async ({ raw, database, name }) => {
      const update = { name: name('a'), fields: {} }
      const write = (exists: boolean) =>
        code(raw.call('Commit', { database, writes: [{ update, currentDocument: { exists } }] }))
      const outcomes = [await write(true), await write(false), await write(false)]
      const gone = { delete: name('b'), currentDocument: { exists: false } }

      expect(outcomes).toEqual(['NOT_FOUND', 'OK', 'ALREADY_EXISTS'])
      expect(await code(raw.call('Commit', { database, writes: [gone] }))).toBe('OK')
    },
  },
]
