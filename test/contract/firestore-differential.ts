import { FieldValue, Filter, type Firestore, GeoPoint, Timestamp } from '@google-cloud/firestore'
import fc from 'fast-check'
import type { Message } from './firestore-raw.ts'

/*
 * Random collections and queries, to be answered by two servers: whatever one finds, in whatever
 * order, or refuses, the other must as well.
 */

const FIELDS = ['x', 'y', 'm.x'] as const

/** Few values of every type, many of them close to each other, so that filters often meet them. */
const VALUES: readonly unknown[] = [
  null,
  false,
  true,
  Number.NaN,
  -1,
  0,
  1,
  1.5,
  2,
  Number.POSITIVE_INFINITY,
  new Timestamp(5, 0),
  new Timestamp(5, 1000),
  '',
  'a',
  'b',
  'é',
  '😀',
  Buffer.from([0]),
  Buffer.from([0, 1]),
  new GeoPoint(1, 2),
  [],
  [1],
  ['a', 2],
  FieldValue.vector([1, 2]),
  { x: 1 },
  { x: 2, z: 1 },
]

const value = fc.constantFrom(...VALUES)
const field = fc.constantFrom(...FIELDS)
const simple = fc.constantFrom<unknown[]>(1, 2, 0, 'a', 'b', null, true, 1.5, Number.NaN)
const list = fc.uniqueArray(simple, { minLength: 1, maxLength: 3 })

type Leaf = { field: string; op: FirebaseFirestore.WhereFilterOp; value: unknown }
type Shape = Leaf | { any: Leaf[] }

const leaf: fc.Arbitrary<Leaf> = fc.oneof(
  fc.record({
    field,
    op: fc.constantFrom<FirebaseFirestore.WhereFilterOp>('==', '<', '<=', '>', '>=', '!='),
    value,
  }),
  fc.record({
    field,
    op: fc.constantFrom<FirebaseFirestore.WhereFilterOp>('in', 'not-in', 'array-contains-any'),
    value: list,
  }),
  fc.record({ field, op: fc.constant('array-contains' as const), value: simple }),
)

const filter: fc.Arbitrary<Shape> = fc.oneof(
  { weight: 3, arbitrary: leaf },
  { weight: 1, arbitrary: fc.record({ any: fc.array(leaf, { minLength: 2, maxLength: 3 }) }) },
)

const order = fc.record({ field, direction: fc.constantFrom('asc' as const, 'desc' as const) })

export type RandomQuery = {
  filters: Shape[]
  orders: { field: string; direction: 'asc' | 'desc' }[]
  start: { inclusive: boolean; value: unknown } | undefined
  end: { inclusive: boolean; value: unknown } | undefined
  limit: number | undefined
  offset: number
}

const cursor = fc.option(fc.record({ inclusive: fc.boolean(), value }), { nil: undefined })

export const randomQuery: fc.Arbitrary<RandomQuery> = fc.record({
  filters: fc.array(filter, { maxLength: 3 }),
  orders: fc.uniqueArray(order, { maxLength: 2, selector: (one) => one.field }),
  start: cursor,
  end: cursor,
  limit: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  offset: fc.constantFrom(0, 0, 0, 1, 3),
})

export const randomDocument: fc.Arbitrary<Message> = fc.record(
  { x: value, y: value, m: fc.record({ x: value }) },
  { requiredKeys: [] },
)

const toFilter = (one: Leaf) => Filter.where(one.field, one.op, one.value)

function filtered(
  collection: FirebaseFirestore.Query,
  shapes: readonly Shape[],
): FirebaseFirestore.Query {
  return shapes.reduce(
    (query, shape) =>
      query.where('any' in shape ? Filter.or(...shape.any.map(toFilter)) : toFilter(shape)),
    collection,
  )
}

function build(collection: FirebaseFirestore.Query, random: RandomQuery): FirebaseFirestore.Query {
  let query = filtered(collection, random.filters)
  for (const one of random.orders) query = query.orderBy(one.field, one.direction)
  const { start, end } = random.orders.length > 0 ? random : { start: undefined, end: undefined }
  if (start !== undefined)
    query = start.inclusive ? query.startAt(start.value) : query.startAfter(start.value)
  if (end !== undefined) query = end.inclusive ? query.endAt(end.value) : query.endBefore(end.value)
  if (random.limit !== undefined) query = query.limit(random.limit)
  return query.offset(random.offset)
}

/** The ids in order, or the code with which the query was refused. */
export async function answer(
  db: Firestore,
  collection: string,
  random: RandomQuery,
): Promise<string> {
  try {
    const found = await build(db.collection(collection), random).get()
    return found.docs.map(({ id }) => id).join(' ')
  } catch (error) {
    return typeof error === 'object' && error !== null && 'code' in error
      ? `code ${String(error.code)}`
      : 'refused by the SDK'
  }
}
