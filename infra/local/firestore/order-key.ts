import { KeyWriter } from './key-writer.ts'
import { compareUtf8, type Fields, type Value } from './value.ts'

/*
 * Values as bytes whose plain byte order is Firestore's order, so that an index is a sorted column
 * and equality is equality of bytes (1 and 1.0, 0 and -0.0 are the same bytes).
 *
 *   null 10 · bool 18 · NaN 20 · number 21 · timestamp 28 · string 30 · bytes 38 · reference 40
 *   · geopoint 48 · array 50 · vector 58 · map 60
 *
 * Strings end in 00 01 and carry an inner 00 as 00 FF; arrays, maps and references end in 00.
 * No encoding is a prefix of another one, so encodings can be joined and inverted (descending).
 */
const TAGS = {
  unset: 0x08,
  null: 0x10,
  bool: 0x18,
  int: 0x21,
  double: 0x21,
  timestamp: 0x28,
  string: 0x30,
  bytes: 0x38,
  reference: 0x40,
  geopoint: 0x48,
  array: 0x50,
  map: 0x60,
} as const
const NAN_TAG = 0x20
const VECTOR_TAG = 0x58
const END = 0
const MAP_KEY = 1
const NUMERIC_SEGMENT = 2
const TEXT_SEGMENT = 3
const BIAS = 2n ** 63n

/** Path segments in Firestore's order (`__id7__` before all others, by number); a parent's key is a prefix of its children's. */
function writePath(w: KeyWriter, segments: readonly string[]): KeyWriter {
  for (const segment of segments) {
    const numeric = segment.startsWith('__') ? /^__id(-?\d+)__$/u.exec(segment)?.[1] : undefined
    if (numeric === undefined) w.byte(TEXT_SEGMENT).text(segment)
    else
      w.byte(NUMERIC_SEGMENT).text(
        BigInt.asUintN(80, BigInt(numeric) + BIAS)
          .toString(16)
          .padStart(20, '0'),
      )
  }
  return w
}

/** The same, closed, so that it can stand inside an index key in either direction. */
export function writeClosedPath(w: KeyWriter, segments: readonly string[]): KeyWriter {
  return writePath(w, segments).byte(END)
}

/** Exact over int64 and double: the nearest double, then how far the integer lies from it. */
function writeNumber(w: KeyWriter, value: bigint | number): void {
  if (Number.isNaN(value)) {
    w.byte(NAN_TAG)
    return
  }
  const nearest = Number(value)
  const exact = typeof value === 'number' || Number.isSafeInteger(nearest)
  const rest = exact ? 0 : Number(BigInt(value) - BigInt(nearest))
  w.byte(TAGS.int)
    .double(nearest)
    .uint(rest + 0x8000, 2)
}

/** A vector is a map with `__type__: "__vector__"` and its numbers under `value`. */
function vectorOf(fields: Fields): readonly Value[] | undefined {
  const type = fields.get('__type__')
  const value = fields.get('value')
  if (type?.kind !== 'string' || type.value !== '__vector__') return undefined
  return value?.kind === 'array' ? value.value : undefined
}

function writeMap(w: KeyWriter, fields: Fields): void {
  const vector = vectorOf(fields)
  if (vector !== undefined) {
    w.byte(VECTOR_TAG).uint(vector.length, 4)
    for (const item of vector) writeKey(w, item)
    return
  }
  w.byte(TAGS.map)
  for (const key of [...fields.keys()].sort(compareUtf8)) {
    w.byte(MAP_KEY).text(key)
    writeKey(w, fields.get(key) ?? { kind: 'null' })
  }
  w.byte(END)
}

export function writeKey(w: KeyWriter, value: Value): void {
  switch (value.kind) {
    case 'unset':
    case 'null':
      w.byte(TAGS[value.kind])
      return
    case 'bool':
      w.byte(TAGS.bool).byte(value.value ? 1 : 0)
      return
    case 'int':
    case 'double':
      writeNumber(w, value.value)
      return
    case 'timestamp':
      w.byte(TAGS.timestamp).int64(value.value.seconds).uint(value.value.nanos, 4)
      return
    case 'string':
      w.byte(TAGS.string).text(value.value)
      return
    case 'bytes':
      w.byte(TAGS.bytes).escaped(value.value)
      return
    case 'reference':
      writeClosedPath(w.byte(TAGS.reference), value.value.split('/'))
      return
    case 'geopoint':
      w.byte(TAGS.geopoint).double(value.latitude).double(value.longitude)
      return
    case 'array':
      w.byte(TAGS.array)
      for (const item of value.value) writeKey(w, item)
      w.byte(END)
      return
    case 'map':
      writeMap(w, value.value)
      return
  }
}

/** One for all: a key is written in one go. */
const scratch = new KeyWriter()

export function valueKey(value: Value): Buffer {
  writeKey(scratch.truncate(0), value)
  return scratch.finish()
}

export function pathKey(segments: readonly string[]): Buffer {
  return writePath(scratch.truncate(0), segments).finish()
}

export function closedPathKey(segments: readonly string[]): Buffer {
  return writeClosedPath(scratch.truncate(0), segments).finish()
}

/** Text that separates without being a path: kinds in the document table. */
export function textKey(text: string): Buffer {
  return scratch.truncate(0).text(text).finish()
}

/** The bytes of all values that a range filter with this operand can match: its type, NaN apart. */
export function typeRange(value: Value): { low: Buffer; high: Buffer } {
  const tag = valueKey(value)[0] ?? 0
  return { low: Buffer.of(tag), high: Buffer.of(tag + 1) }
}

/** Descending order of the same values. */
export function inverted(key: Buffer): Buffer {
  const copy = Buffer.allocUnsafe(key.length)
  for (let i = 0; i < key.length; i += 1) copy[i] = 0xff - (key[i] ?? 0)
  return copy
}

/** The least key above everything that starts with `prefix`; undefined when there is none. */
export function successor(prefix: Buffer): Buffer | undefined {
  let end = prefix.length
  while (end > 0 && prefix[end - 1] === 0xff) end -= 1
  if (end === 0) return undefined
  const copy = Buffer.from(prefix.subarray(0, end))
  copy[end - 1] = (copy[end - 1] ?? 0) + 1
  return copy
}
