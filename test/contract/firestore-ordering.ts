import { AggregateField, FieldValue, GeoPoint, Timestamp } from '@google-cloud/firestore'
import { expect } from 'vitest'
import { type Check, ids } from './firestore-check.ts'
import { code } from './firestore-raw.ts'
import { connect } from './firestore-target.ts'

/** Matrix 2.4, second half: the order of values, aggregation, streams, and what is not served. */
export const orderingChecks: readonly Check[] = [
  {
    id: 'F42',
    it: 'orders the types',
    run: async ({ c }) => {
      const values = [
        null,
        false,
        true,
        Number.NaN,
        Number.NEGATIVE_INFINITY,
        1,
        new Timestamp(5, 0),
        'text',
        Buffer.from([1]),
        c.doc('x'),
        new GeoPoint(1, 1),
        [1],
        FieldValue.vector([1]),
        { a: 1 },
      ]
      await Promise.all(values.map((v, n) => c.doc(`d${String.fromCharCode(122 - n)}`).set({ v })))
      const expected = values.map((_, n) => `d${String.fromCharCode(122 - n)}`)

      expect(await ids(c.orderBy('v'))).toBe(expected.join(' '))
      expect(await ids(c.orderBy('v', 'desc'))).toBe(expected.toReversed().join(' '))
    },
  },
  {
    id: 'F43',
    it: 'orders strings by their UTF-8 bytes',
    run: async ({ c }) => {
      const texts = ['Z', 'z', 'é', '\uffee', '😀']
      await Promise.all(texts.map((v) => c.add({ v })))
      const found = (await c.orderBy('v').get()).docs.map((document) => document.get('v'))

      expect(found).toEqual(texts)
    },
  },
  {
    id: 'F44',
    it: 'orders arrays and maps element by element',
    run: async ({ c }) => {
      const values = [[], [1], [1, 2], [2], {}, { a: 1 }, { a: 1, b: 1 }, { b: 1 }]
      await Promise.all(values.map((v) => c.add({ v })))
      const found = (await c.orderBy('v').get()).docs.map((document) => document.get('v'))

      expect(found).toEqual(values)
    },
  },
  {
    id: 'F45',
    it: 'compares integers and doubles exactly',
    run: async ({ c, raw, database, name, host }) => {
      const double = (doubleValue: number) => ({ fields: { v: { doubleValue } } })
      const integer = (integerValue: string) => ({ fields: { v: { integerValue } } })
      const documents = {
        i1: integer('1'),
        d1: double(1),
        zero: double(-0),
        i0: integer('0'),
        big: integer('9007199254740993'),
        near: double(9007199254740992),
      }
      const writes = Object.entries(documents).map(([id, fields]) => ({
        update: { name: name(id), ...fields },
      }))
      await raw.call('Commit', { database, writes })
      const db = connect(host, { useBigInt: true })
      const top = await ids(db.collection(c.id).where('v', '>=', 9007199254740992n))
      await db.terminate()

      expect(await ids(c.where('v', '==', 1))).toBe('d1 i1')
      expect(await ids(c.where('v', '==', 0))).toBe('i0 zero')
      expect(top).toBe('near big')
    },
  },
  {
    id: 'F46 F47',
    it: 'finds equal maps and arrays whatever the order of their keys, and nested fields',
    run: async ({ c }) => {
      await c.doc('a').set({ m: { x: 1, y: [1, { z: 2 }] }, l: [1, 2] })
      await c.doc('b').set({ m: { x: 1 }, l: [2, 1] })
      await c.doc('d').set({ l: 1 })

      expect(await ids(c.where('m', '==', { y: [1, { z: 2 }], x: 1 }))).toBe('a')
      expect(await ids(c.where('l', '==', [1, 2]))).toBe('a')
      expect(await ids(c.where('m.x', '==', 1))).toBe('a b')
      expect(await ids(c.orderBy('m.x'))).toBe('a b')
    },
  },
  {
    id: 'F48',
    it: 'finds NaN by equality only',
    run: async ({ c }) => {
      await c.doc('a').set({ v: Number.NaN })
      await c.doc('b').set({ v: 1 })
      await c.doc('c').set({ v: 'x' })

      expect(await ids(c.where('v', '==', Number.NaN))).toBe('a')
      expect(await ids(c.where('v', '!=', Number.NaN))).toBe('b c')
      expect(await ids(c.where('v', '<', 5))).toBe('b')
    },
  },
  {
    id: 'F50 F51 F52 F53 F54',
    it: 'counts, sums and averages',
    run: async ({ db, c, host }) => {
      await db
        .batch()
        .set(c.doc('a'), { n: 1, s: 'x' })
        .set(c.doc('b'), { n: 2, s: 'y' })
        .set(c.doc('c'), { n: 3, s: 'x' })
        .set(c.doc('d'), { n: 2.5 })
        .set(c.doc('e'), { n: null })
        .set(c.doc('f'), { s: 'w' })
        .commit()
      const { count, sum, average } = AggregateField
      const all = await c.aggregate({ n: count(), s: sum('n'), a: average('n') }).get()
      const none = await db
        .collection(`${c.id}-none`)
        .aggregate({ n: count(), s: sum('n'), a: average('n') })
        .get()
      const some = c.where('s', '==', 'x').aggregate({ n: count(), s: sum('n') })
      const missing = c.where('s', 'in', ['x', 'w']).aggregate({ n: count(), s: sum('n') })
      const exact = connect(host, { useBigInt: true })
      const big = exact.collection(`${c.id}-big`)
      await big.add({ v: 2n ** 53n - 1n })
      await big.add({ v: 1n })
      const total = (await big.aggregate({ v: sum('v') }).get()).data().v
      await exact.terminate()

      expect((await c.count().get()).data().count).toBe(6)
      expect((await c.limit(2).count().get()).data().count).toBe(2)
      expect(all.data()).toEqual({ n: 5, s: 8.5, a: 2.125 })
      expect(none.data()).toEqual({ n: 0, s: 0, a: null })
      expect((await some.get()).data()).toEqual({ n: 2, s: 4 })
      expect((await missing.get()).data()).toEqual({ n: 2, s: 4 })
      expect(BigInt(total)).toBe(9007199254740992n)
    },
  },
  {
    id: 'F55 F56',
    it: 'gives an empty result a time, and streams a long one',
    run: async ({ db, c }) => {
      const empty = await c.get()
      const batch = db.batch()
      for (let n = 0; n < 1000; n += 1) batch.set(c.doc(`d${n}`), { n })
      await batch.commit()
      let seen = 0
      for await (const _ of c.stream()) seen += 1

      expect(empty.readTime).toBeInstanceOf(Timestamp)
      expect(seen).toBe(1000)
    },
  },
  {
    id: 'F64',
    it: 'lists documents page by page',
    run: async ({ c, raw, database }) => {
      for (let n = 0; n < 6; n += 1) await c.doc(`d${n}`).set({ n })
      const request = { parent: `${database}/documents`, collectionId: c.id, pageSize: 4 }
      const [first] = await raw.call('ListDocuments', request)
      const pageToken = first?.['nextPageToken']
      const [second] = await raw.call('ListDocuments', { ...request, pageToken })

      expect(first?.['documents']).toHaveLength(4)
      expect(pageToken).toEqual(expect.stringMatching(/./u))
      expect(second?.['documents']).toHaveLength(2)
      expect(second?.['nextPageToken'] ?? '').toBe('')
    },
  },
  {
    id: 'F65',
    it: 'answers NOT_FOUND to GetDocument of a missing one',
    run: async ({ raw, name }) => {
      expect(await code(raw.call('GetDocument', { name: name('x') }))).toBe('NOT_FOUND')
    },
  },
  {
    id: 'F61 F62 F63 F66 G32',
    it: 'says clearly what it does not serve',
    run: async ({ raw, database, c, name, allows }) => {
      const parent = `${database}/documents`
      const query = { from: [{ collectionId: c.id }] }
      const findNearest = {
        vectorField: { fieldPath: 'v' },
        queryVector: { mapValue: { fields: {} } },
        distanceMeasure: 'EUCLIDEAN',
        limit: { value: 1 },
      }
      const document = { name: name('a'), fields: {} }
      const theirs = await Promise.all([
        code(raw.call('RunQuery', { parent, structuredQuery: { ...query, findNearest } })),
        code(raw.call('CreateDocument', { parent, collectionId: c.id, documentId: 'z' })),
        code(raw.call('UpdateDocument', { document })),
        code(raw.call('DeleteDocument', { name: name('a') })),
      ])
      const partition = { parent, structuredQuery: query, partitionCount: 2 }

      expect(await code(raw.call('PartitionQuery', partition))).toBe('UNIMPLEMENTED')
      if (!allows('F61')) expect(theirs).toEqual(theirs.map(() => 'UNIMPLEMENTED'))
      if (!allows('F63')) expect(await code(raw.call('Listen', { database }))).toBe('UNIMPLEMENTED')
    },
  },
]
