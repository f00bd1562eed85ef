import { FieldValue, type Firestore, Timestamp } from '@google-cloud/firestore'
import fc from 'fast-check'
import { code } from './firestore-raw.ts'

/* Random writes to one document, to be applied by two servers: the same outcomes, the same content in the end. */

const { increment, arrayUnion, arrayRemove } = FieldValue

const plain = fc.constantFrom<unknown[]>(
  null,
  true,
  0,
  1,
  2.5,
  -0,
  Number.NaN,
  'a',
  [1, 2, 2],
  [],
  {},
  { x: 1 },
  { x: { y: 2 }, z: [1] },
  new Timestamp(1, 1999),
  9007199254740991,
)

/** Made anew for each server: the SDK keeps no state in them, but nothing says so. */
const transform = fc.constantFrom(
  () => increment(1),
  () => increment(0.5),
  () => increment(9007199254740991),
  () => arrayUnion(1, 3, 3),
  () => arrayUnion({ x: 1 }),
  () => arrayRemove(2, Number.NaN),
  () => FieldValue.delete(),
)

type Entry = { path: string; value: unknown; made: (() => FieldValue) | undefined }

const entry: fc.Arbitrary<Entry> = fc.record({
  path: fc.constantFrom('a', 'b', 'm', 'm.x', 'm.x.y', 'b.z'),
  value: plain,
  made: fc.option(transform, { nil: undefined, freq: 2 }),
})

export type RandomWrite = {
  kind: 'set' | 'merge' | 'update' | 'create' | 'delete'
  entries: Entry[]
}

export const randomWrites: fc.Arbitrary<RandomWrite[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(
      'set',
      'merge',
      'merge',
      'update',
      'update',
      'update',
      'create',
      'delete',
    ),
    entries: fc.uniqueArray(entry, { minLength: 1, maxLength: 3, selector: ({ path }) => path }),
  }),
  { minLength: 1, maxLength: 6 },
)

const written = ({ made, value }: Entry) => (made === undefined ? value : made())

/** The first entry as nested maps, for `set` and `create`. */
function nested([first]: readonly Entry[]): Record<string, unknown> {
  if (first === undefined) return {}
  const [head = '', ...rest] = first.path.split('.')
  const inner = rest.reduceRight<unknown>((value, name) => ({ [name]: value }), written(first))
  return { [head]: inner }
}

async function write(
  db: Firestore,
  path: string,
  { kind, entries }: RandomWrite,
): Promise<unknown> {
  const reference = db.doc(path)
  if (kind === 'delete') return reference.delete()
  if (kind === 'update')
    return reference.update(Object.fromEntries(entries.map((one) => [one.path, written(one)])))
  if (kind === 'create') return reference.create(nested(entries))
  return reference.set(nested(entries), { merge: kind === 'merge' })
}

/**
 * A transform below the top level: what it makes is another map to the emulator than the same map written plainly,
 * so that an equal write after it moves the update time there.
 */
const leavesTraces = ({ kind, entries }: RandomWrite) =>
  kind !== 'delete' && entries.some(({ path, made }) => made !== undefined && path.includes('.'))

/** The outcome of each write, which of them moved the update time, and what is there in the end. */
export async function outcome(
  db: Firestore,
  path: string,
  writes: readonly RandomWrite[],
): Promise<string> {
  const outcomes: string[] = []
  let before = ''
  let comparable = true
  for (const one of writes) {
    const status = await code(() => write(db, path, one))
    const time = (await db.doc(path).get()).updateTime?.valueOf() ?? ''
    const moved = time === before ? 'same' : 'moved'
    outcomes.push(comparable ? `${status} ${moved}` : status)
    if (leavesTraces(one)) comparable = false
    before = time
  }
  const data = (await db.doc(path).get()).data()
  return JSON.stringify([outcomes, data], readable)
}

/** NaN and -0 by name, and keys in one order: the emulator returns them as they came. */
function readable(_key: string, value: unknown): unknown {
  if (Object.is(value, -0)) return '-0'
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
