import { Reader } from './wire.ts'
import { Writer } from './wire-writer.ts'

/** Seconds since 1970 and nanoseconds in that second, 0 to 999 999 999. */
export type Timestamp = { readonly seconds: bigint; readonly nanos: number }

/** The fields of a document or map; a Map, so that no field name can reach a prototype. */
export type Fields = ReadonlyMap<string, Value>

/** One Firestore value (`google.firestore.v1.Value`); `unset` is a Value message with nothing in it and never stored. */
export type Value =
  | { readonly kind: 'unset' }
  | { readonly kind: 'null' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'timestamp'; readonly value: Timestamp }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Buffer }
  | { readonly kind: 'reference'; readonly value: string }
  | { readonly kind: 'geopoint'; readonly latitude: number; readonly longitude: number }
  | { readonly kind: 'array'; readonly value: readonly Value[] }
  | { readonly kind: 'map'; readonly value: Fields }

export const NULL: Value = { kind: 'null' }
const UNSET: Value = { kind: 'unset' }

export function readTimestamp(r: Reader): Timestamp {
  let seconds = 0n
  let nanos = 0
  while (r.next()) {
    if (r.field === 1) seconds = r.int64()
    else if (r.field === 2) nanos = r.int32()
    else r.skip()
  }
  return { seconds, nanos }
}

function readGeopoint(r: Reader): Value {
  let latitude = 0
  let longitude = 0
  while (r.next()) {
    if (r.field === 1) latitude = r.double()
    else if (r.field === 2) longitude = r.double()
    else r.skip()
  }
  return { kind: 'geopoint', latitude, longitude }
}

/** The values of an `ArrayValue`. */
export function readArray(r: Reader): Value[] {
  const values: Value[] = []
  while (r.next()) {
    if (r.field === 1) values.push(readValue(r.message()))
    else r.skip()
  }
  return values
}

/** One entry of a `map<string, Value>`, put into `fields`. */
export function readEntry(r: Reader, fields: Map<string, Value>): void {
  let key = ''
  let value: Value = UNSET
  while (r.next()) {
    if (r.field === 1) key = r.string()
    else if (r.field === 2) value = readValue(r.message())
    else r.skip()
  }
  fields.set(key, value)
}

function readMap(r: Reader): Value {
  const fields = new Map<string, Value>()
  while (r.next()) {
    if (r.field === 1) readEntry(r.message(), fields)
    else r.skip()
  }
  return { kind: 'map', value: fields }
}

function readOneof(r: Reader): Value | undefined {
  switch (r.field) {
    case 1:
      return { kind: 'bool', value: r.bool() }
    case 2:
      return { kind: 'int', value: r.int64() }
    case 3:
      return { kind: 'double', value: r.double() }
    case 5:
      return { kind: 'reference', value: r.string() }
    case 6:
      return readMap(r.message())
    case 8:
      return readGeopoint(r.message())
    case 9:
      return { kind: 'array', value: readArray(r.message()) }
    case 10:
      return { kind: 'timestamp', value: readTimestamp(r.message()) }
    case 11:
      r.int64()
      return NULL
    case 17:
      return { kind: 'string', value: r.string() }
    case 18:
      return { kind: 'bytes', value: Buffer.from(r.bytes()) }
    default:
      r.skip()
      return undefined
  }
}

export function readValue(r: Reader): Value {
  let value: Value = UNSET
  while (r.next()) value = readOneof(r) ?? value
  return value
}

/** Fields as stored: entries of `Document.fields` (field 2), so that an answer can copy the bytes. */
export function decodeFields(bytes: Buffer): Fields {
  const fields = new Map<string, Value>()
  const r = new Reader(bytes)
  while (r.next()) readEntry(r.message(), fields)
  return fields
}

/** Only the entries with these names; the others are passed over undecoded. */
export function decodeSome(bytes: Buffer, names: ReadonlySet<string>): Fields {
  const fields = new Map<string, Value>()
  const r = new Reader(bytes)
  while (r.next()) {
    const entry = r.message()
    const name = entry.next() && entry.field === 1 ? entry.string() : ''
    if (names.has(name) && entry.next()) fields.set(name, readValue(entry.message()))
  }
  return fields
}

/** Compares by UTF-8 bytes, which JavaScript's own order does not for characters above U+FFFF. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i += 1) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left === right) continue
    const surrogates = Number(left >> 11 === 0x1b) - Number(right >> 11 === 0x1b)
    return surrogates === 0 ? left - right : surrogates
  }
  return a.length - b.length
}

/** Sorted keys make equal contents equal bytes, which is how a write that changes nothing is recognised. */
export function writeFields(w: Writer, field: number, fields: Fields): void {
  for (const key of [...fields.keys()].sort(compareUtf8)) {
    const entry = w.open(field)
    w.string(1, key)
    const value = w.open(2)
    writeValue(w, fields.get(key) ?? UNSET)
    w.close(value).close(entry)
  }
}

/** One for all: encoding never waits for anything, so no two can overlap. */
const scratch = new Writer(4096)

export function encodeFields(fields: Fields): Buffer {
  writeFields(scratch.clear(), 2, fields)
  return scratch.finish()
}

export function writeTimestamp(w: Writer, field: number, { seconds, nanos }: Timestamp): void {
  const start = w.open(field)
  if (seconds !== 0n) w.int64(1, seconds)
  if (nanos !== 0) w.int(2, nanos)
  w.close(start)
}

function writeGeopoint(w: Writer, latitude: number, longitude: number): void {
  w.message(8, () => w.double(1, latitude).double(2, longitude))
}

export function writeValue(w: Writer, value: Value): void {
  switch (value.kind) {
    case 'unset':
      return
    case 'null':
      w.int64(11, 0n)
      return
    case 'bool':
      w.bool(1, value.value)
      return
    case 'int':
      w.int64(2, value.value)
      return
    case 'double':
      w.double(3, value.value)
      return
    case 'timestamp':
      writeTimestamp(w, 10, value.value)
      return
    case 'string':
      w.string(17, value.value)
      return
    case 'bytes':
      w.bytes(18, value.value)
      return
    case 'reference':
      w.string(5, value.value)
      return
    case 'geopoint':
      writeGeopoint(w, value.latitude, value.longitude)
      return
    case 'array':
      w.message(9, () => {
        for (const item of value.value) w.message(1, () => writeValue(w, item))
      })
      return
    case 'map':
      w.message(6, () => writeFields(w, 1, value.value))
      return
  }
}
