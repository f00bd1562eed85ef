import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inverted, pathKey, successor, valueKey } from '../../infra/local/firestore/order-key.ts'
import {
  decodeFields,
  decodeSome,
  encodeFields,
  type Fields,
  type Value,
} from '../../infra/local/firestore/value.ts'

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const close = fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n })
const text = fc.string({ unit: 'binary', maxLength: 6 })
const int = fc.record({ kind: fc.constant('int' as const), value: fc.oneof(int64, close) })
const double = fc.record({ kind: fc.constant('double' as const), value: fc.double() })
const number = fc.oneof(int, double)
const timestamp = fc.record({
  seconds: fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n }),
  nanos: fc.integer({ min: 0, max: 999_999_999 }),
})

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constant<Value>({ kind: 'null' }),
    fc.boolean().map((v): Value => ({ kind: 'bool', value: v })),
    number,
    timestamp.map((v): Value => ({ kind: 'timestamp', value: v })),
    text.map((v): Value => ({ kind: 'string', value: v })),
    fc.uint8Array({ maxLength: 4 }).map((v): Value => ({ kind: 'bytes', value: Buffer.from(v) })),
    fc
      .tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true }))
      .map(([latitude, longitude]): Value => ({ kind: 'geopoint', latitude, longitude })),
    fc.array(tie('value'), { maxLength: 3 }).map((v): Value => ({ kind: 'array', value: v })),
    fc
      .array(fc.tuple(text, tie('value')), { maxLength: 3 })
      .map((v): Value => ({ kind: 'map', value: new Map(v) })),
  ),
}))

type Numeric = { kind: 'int'; value: bigint } | { kind: 'double'; value: number }

/** Which is greater, exactly: JavaScript compares a bigint with a number without rounding. */
function numericOrder(a: Numeric, b: Numeric): number {
  const rank = ({ value: v }: Numeric) => (Number.isNaN(v) ? 0 : 1)
  if (rank(a) * rank(b) === 0) return rank(a) - rank(b)
  if (a.value === b.value || (a.value <= b.value && a.value >= b.value)) return 0
  return a.value < b.value ? -1 : 1
}

const sorted = (fields: Fields) => [...fields].sort(([a], [b]) => (a < b ? -1 : 1))

test('numbers sort exactly, whatever their types', () => {
  fc.assert(
    fc.property(number, number, (a, b) => {
      expect(Buffer.compare(valueKey(a), valueKey(b))).toBe(numericOrder(a, b))
    }),
    { numRuns: 2000 },
  )
})

test('strings sort by their UTF-8 bytes', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const keys = [a, b].map((v) => valueKey({ kind: 'string', value: v }))
      const [left = Buffer.alloc(0), right = Buffer.alloc(0)] = keys

      expect(Buffer.compare(left, right)).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
  )
})

test('no key is the start of another one, and inversion turns the order round', () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      const [left, right] = [valueKey(a), valueKey(b)]
      fc.pre(!left.equals(right))
      const order = Buffer.compare(left, right)

      expect(right.subarray(0, left.length).equals(left)).toBe(false)
      expect(Buffer.compare(inverted(left), inverted(right))).toBe(-order)
    }),
    { numRuns: 1000 },
  )
})

test('a successor lies above everything that starts alike, and below everything else that is greater', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 4 }).map((v) => Buffer.from(v))
  fc.assert(
    fc.property(bytes, bytes, (prefix, other) => {
      const next = successor(prefix)
      const startsAlike = other.subarray(0, prefix.length).equals(prefix)
      fc.pre(Buffer.compare(other, prefix) > 0)

      expect(next === undefined || Buffer.compare(other, next) < 0).toBe(
        startsAlike || next === undefined,
      )
    }),
    { numRuns: 1000 },
  )
})

test('numeric ids come first and by number', () => {
  const keys = ['__id-5__', '__id7__', '__id12__', 'a', 'b'].map((id) => pathKey([id]))

  expect(keys.toSorted(Buffer.compare)).toEqual(keys)
})

test('fields come back as they were stored, all or some of them', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, value), { maxLength: 5 }), fc.array(text), (list, more) => {
      const fields = new Map(list)
      const wanted = new Set([...more, ...[...fields.keys()].slice(0, 2)])
      const bytes = encodeFields(fields)

      expect(sorted(decodeFields(bytes)).map(([name]) => name)).toEqual(
        sorted(fields).map(([name]) => name),
      )
      expect(encodeFields(decodeFields(bytes)).equals(bytes)).toBe(true)
      expect([...decodeSome(bytes, wanted).keys()].toSorted()).toEqual(
        [...fields.keys()].filter((name) => wanted.has(name)).toSorted(),
      )
    }),
  )
})
