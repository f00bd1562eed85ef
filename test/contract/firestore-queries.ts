import {
  type CollectionReference,
  FieldPath,
  Filter,
  type Firestore,
  Timestamp,
} from '@google-cloud/firestore'
import { expect } from 'vitest'
import { type Check, ids, type Place } from './firestore-check.ts'
import { code, type Message } from './firestore-raw.ts'

const NAME = FieldPath.documentId()

/** The six documents of matrix 2.4. */
async function six(db: Firestore, c: CollectionReference): Promise<void> {
  await db
    .batch()
    .set(c.doc('a'), { n: 1, s: 'x', t: ['p', 'q'], g: 'm' })
    .set(c.doc('b'), { n: 2, s: 'y', t: ['q'], g: 'f' })
    .set(c.doc('c'), { n: 3, s: 'x', t: [], g: 'm' })
    .set(c.doc('d'), { n: 2.5, s: 'z', t: ['r', 'p'] })
    .set(c.doc('e'), { s: 'x', n: null })
    .set(c.doc('f'), { s: 'w' })
    .commit()
}

type Query = (c: CollectionReference, db: Firestore) => FirebaseFirestore.Query

/** Each query of the table on the six documents, with the ids it finds in order. */
const found: readonly (readonly [id: string, query: Query, result: string])[] = [
  ['F01', (c) => c, 'a b c d e f'],
  ['F02', (c) => c.where('s', '==', 'x'), 'a c e'],
  ['F03', (c) => c.where('n', '>', 1), 'b d c'],
  ['F04', (c) => c.where('n', '>=', 2).where('n', '<=', 2.5), 'b d'],
  ['F05', (c) => c.where('n', '!=', 2), 'a d c'],
  ['F06', (c) => c.where('n', '!=', null), 'a b d c'],
  ['F07', (c) => c.where('n', '==', null), 'e'],
  ['F29', (c) => c.where('n', '==', Number.NaN), ''],
  ['F36', (c) => c.limit(0), ''],
  ['F08', (c) => c.where('s', 'in', ['z', 'y']), 'b d'],
  ['F10', (c) => c.where('n', 'not-in', [2, 3]), 'a d'],
  ['F11', (c) => c.where('n', 'not-in', [null]), ''],
  ['F12', (c) => c.where('t', 'array-contains', 'p'), 'a d'],
  ['F13', (c) => c.where('t', 'array-contains-any', ['r', 'q']), 'a b d'],
  ['F17', (c) => c.orderBy('s').limit(2).offset(1), 'a c'],
  ['F18', (c) => c.orderBy('s').limitToLast(2), 'b d'],
  ['F14', (c) => c.orderBy('n'), 'e a b d c'],
  ['F15', (c) => c.orderBy('s', 'desc'), 'd b e c a f'],
  ['F16', (c) => c.orderBy('s').orderBy('n', 'desc'), 'c a e b d'],
  ['F19', (c) => c.orderBy('n').startAfter(2), 'd c'],
  ['F20', (c) => c.orderBy('n').startAt(2).endBefore(3), 'b d'],
  ['F21', (c) => c.orderBy('n', 'desc').endAt(2), 'c d b'],
  ['F22', (c) => c.where(NAME, '==', 'b'), 'b'],
  ['F23', (c) => c.where(NAME, 'in', ['c', 'a', 'zz']), 'a c'],
  ['F24', (c) => c.where(NAME, '>', 'a').where(NAME, '<', 'd'), 'b c'],
  ['F30', (c) => c.where('s', '==', 'x').orderBy('n', 'desc'), 'c a e'],
  ['F34', (c) => c.where('n', '<', 'zzz'), ''],
  [
    'F25',
    (c) => c.where(Filter.or(Filter.where('n', '==', 1), Filter.where('s', '==', 'z'))),
    'a d',
  ],
  [
    'F26',
    (c) =>
      c
        .where('g', '==', 'm')
        .where(Filter.or(Filter.where('n', '==', 1), Filter.where('n', '>', 2))),
    'a c',
  ],
  ['F27', (c) => c.where('n', '>', 1).where('s', '>', 'x'), 'b d'],
  ['F28', (c) => c.where('n', '>', 1).orderBy('s'), 'c b d'],
]

const thirty = Array.from({ length: 31 }, (_, n) => n)
const or = (count: number, field: string) =>
  Filter.or(...Array.from({ length: count }, (_, n) => Filter.where(field, '==', n)))

/** Queries that no index could serve. */
const refused: readonly (readonly [id: string, query: Query])[] = [
  ['F09', (c) => c.where('n', 'in', thirty)],
  ['F32', (c) => c.where('n', 'not-in', [1]).where('n', '!=', 2)],
  ['F33', (c) => c.where('n', 'not-in', thirty.slice(0, 11))],
  ['F35', (c) => c.where(Filter.and(or(6, 'n'), or(6, 's')))],
  ['F37', (c) => c.where('n', '!=', 2).orderBy(NAME)],
]

async function rawQuery({ raw, database, c }: Place, query: Message): Promise<Message[]> {
  const parent = `${database}/documents`
  const structuredQuery = { from: [{ collectionId: c.id }], ...query }
  return raw.call('RunQuery', { parent, structuredQuery })
}

function rawIds(messages: readonly Message[]): string[] {
  return messages.flatMap(({ document }) => {
    if (typeof document !== 'object' || document === null || !('name' in document)) return []
    return [String(document.name).split('/').at(-1) ?? '']
  })
}

const nField = { field: { fieldPath: 'n' } }

/** Matrix 2.4, first half: filters, orders, cursors and what is refused. */
export const queryChecks: readonly Check[] = [
  ...found.map(
    ([id, query, result]): Check => ({
      id,
      it: `finds ${result === '' ? 'nothing' : result}`,
      run: async ({ db, c }) => {
        await six(db, c)

        expect(await ids(query(c, db))).toBe(result)
      },
    }),
  ),
  ...refused.map(
    ([id, query]): Check => ({
      id,
      it: 'is refused as invalid',
      run: async ({ db, c }) => {
        expect(await code(query(c, db).get())).toBe('INVALID_ARGUMENT')
      },
    }),
  ),
  {
    id: 'F31',
    it: 'refuses two array-contains together, even by a product, but counts the same beside itself once',
    run: async ({ c }) => {
      const [p, q] = [Filter.where('t', 'array-contains', 'p'), Filter.where('n', '==', 1)]
      await c.doc('a').set({ n: 1, t: ['p', 'q'] })
      const either = c.where(Filter.or(p, q))

      expect(await ids(c.where('t', 'array-contains', 'p').where(p))).toBe('a')
      expect(await ids(either.where(Filter.or(q, p)))).toBe('a')
      const other = Filter.where('t', 'array-contains', 'q')
      expect(await code(c.where(p).where(other).get())).toBe('INVALID_ARGUMENT')
      expect(await code(either.where(p).get())).toBe('INVALID_ARGUMENT')
      expect(await code(c.where(Filter.and(p, q)).where(p).get())).toBe('INVALID_ARGUMENT')
    },
  },
  {
    id: 'F60 F59',
    it: 'refuses cursors longer than the order, negative limits and offsets',
    run: async (at) => {
      const cursor = { values: [1, 2, 3].map((integerValue) => ({ integerValue })) }

      expect(await code(rawQuery(at, { orderBy: [nField], startAt: cursor }))).toBe(
        'INVALID_ARGUMENT',
      )
      expect(await code(rawQuery(at, { limit: { value: -1 } }))).toBe('INVALID_ARGUMENT')
      expect(await code(rawQuery(at, { offset: -1 }))).toBe('INVALID_ARGUMENT')
    },
  },
  {
    id: 'F58',
    it: 'orders an inequality by its field when no order is given',
    run: async (at) => {
      await six(at.db, at.c)
      const fieldFilter = { ...nField, op: 'GREATER_THAN', value: { integerValue: 1 } }

      expect(rawIds(await rawQuery(at, { where: { fieldFilter } }))).toEqual(['b', 'd', 'c'])
    },
  },
  {
    id: 'F38',
    it: 'goes on behind a document, with and without filters',
    run: async ({ db, c }) => {
      await six(db, c)
      const last = await c.doc('c').get()
      const second = await c.doc('b').get()

      expect(await ids(c.where('s', '==', 'x').startAfter(last))).toBe('e')
      expect(await ids(c.where('n', '>', 1).startAfter(second))).toBe('d c')
    },
  },
  {
    id: 'F39',
    it: 'pages through equal keys without loss or repeat',
    run: async ({ db, c }) => {
      const batch = db.batch()
      for (let n = 0; n < 25; n += 1)
        batch.set(c.doc(`d${String(n).padStart(2, '0')}`), { k: n % 3 === 2 ? 2 : n % 3 })
      await batch.commit()
      const query = c.orderBy('k', 'desc').limit(10)
      const pages = [(await query.get()).docs]
      for (let page = pages[0]; page?.length === 10; page = pages.at(-1))
        pages.push((await query.startAfter(page.at(-1)).get()).docs)
      const seen = pages.flat().map(({ id }) => id)

      expect(seen).toHaveLength(25)
      expect(new Set(seen).size).toBe(25)
      expect([seen[0], seen.at(-1)]).toEqual(['d23', 'd00'])
    },
  },
  {
    id: 'F40',
    it: 'returns the selected fields only',
    run: async ({ c }) => {
      await c.doc('a').set({ x: 1, m: { y: 2, z: 3 } })
      const [some] = (await c.select('m.y', 'absent').get()).docs
      const [none] = (await c.select().get()).docs

      expect(some?.data()).toEqual({ m: { y: 2 } })
      expect(none?.data()).toEqual({})
    },
  },
  {
    id: 'F41',
    it: 'finds the documents of all collections with one id',
    run: async ({ db, c }) => {
      const group = `g${c.id}`
      const paths = ['p2', 'p1'].flatMap((parent) => [
        `${parent}/${group}/b`,
        `${parent}/${group}/a`,
      ])
      await Promise.all(paths.map((path, v) => c.doc(path).set({ v })))
      const paths1 = (await db.collectionGroup(group).get()).docs.map(({ ref }) => ref.path)
      const filtered = await db.collectionGroup(group).where('v', '>', 0).get()

      expect(paths1).toEqual(
        ['p1', 'p1', 'p2', 'p2'].map((p, i) => `${c.id}/${p}/${group}/${i % 2 === 0 ? 'a' : 'b'}`),
      )
      expect(filtered.docs.map((document) => document.get('v'))).toEqual([1, 2, 3])
    },
  },
  {
    id: 'F49',
    it: 'compares times to the microsecond',
    run: async ({ c }) => {
      for (const n of [1, 2, 3]) await c.doc(`t${n}`).set({ at: new Timestamp(10, n * 1000) })

      expect(await ids(c.where('at', '>', new Timestamp(10, 1000)))).toBe('t2 t3')
      expect(await ids(c.where('at', '==', new Timestamp(10, 2000)))).toBe('t2')
    },
  },
]
