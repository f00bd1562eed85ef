import { invalid, type StatusError } from './status.ts'
import type { Fields, Value } from './value.ts'

const MAX_NAME_BYTES = 1500
const MAX_DEPTH = 20
const MAX_VALUE_BYTES = 1_048_487
const MAX_DOCUMENT_BYTES = 1_048_576

/** Bytes of UTF-8, counted only where the cheap bound does not settle it. */
function longerThan(text: string, bytes: number): boolean {
  return text.length > bytes || (text.length * 3 > bytes && Buffer.byteLength(text) > bytes)
}

export function checkFieldName(name: string): void {
  if (name === '') throw invalid('A field name is empty.')
  if (name.startsWith('__') && /^__.*__$/su.test(name))
    throw invalid(`The field name "${name}" is reserved.`)
  if (longerThan(name, MAX_NAME_BYTES))
    throw invalid(`A field name is longer than ${MAX_NAME_BYTES} bytes.`)
}

/** `__type__` stands in vectors, the one map with a reserved name. */
function isVector(fields: Fields): boolean {
  const type = fields.get('__type__')
  return type?.kind === 'string' && type.value === '__vector__'
}

/** Throws INVALID_ARGUMENT for whatever a document may not hold; `depth` counts the maps around it. */
export function checkFields(fields: Fields, depth = 0): void {
  const vector = depth > 0 && isVector(fields)
  for (const [name, value] of fields) {
    if (!vector || name !== '__type__') checkFieldName(name)
    checkValue(value, depth)
  }
}

export function checkValue(value: Value, depth = 0): void {
  switch (value.kind) {
    case 'unset':
      throw invalid('A value has no type.')
    case 'string':
    case 'reference':
      if (longerThan(value.value, MAX_VALUE_BYTES))
        throw invalid(`A value is longer than ${MAX_VALUE_BYTES} bytes.`)
      return
    case 'bytes':
      if (value.value.length > MAX_VALUE_BYTES)
        throw invalid(`A value is longer than ${MAX_VALUE_BYTES} bytes.`)
      return
    case 'array':
      checkArray(value.value, depth)
      return
    case 'map':
      if (depth + 1 > MAX_DEPTH) throw invalid(`Maps are nested more than ${MAX_DEPTH} deep.`)
      checkFields(value.value, depth + 1)
      return
    default:
      return
  }
}

export function checkArray(values: readonly Value[], depth: number): void {
  for (const item of values) {
    if (item.kind === 'array') throw invalid('An array may not directly hold an array.')
    checkValue(item, depth)
  }
}

const textBytes = (text: string) => Buffer.byteLength(text) + 1

function valueBytes(value: Value): number {
  switch (value.kind) {
    case 'unset':
    case 'null':
    case 'bool':
      return 1
    case 'int':
    case 'double':
    case 'timestamp':
      return 8
    case 'geopoint':
      return 16
    case 'string':
    case 'reference':
      return textBytes(value.value)
    case 'bytes':
      return value.value.length
    case 'array':
      return value.value.reduce((sum, item) => sum + valueBytes(item), 0)
    case 'map':
      return fieldsBytes(value.value)
  }
}

function fieldsBytes(fields: Fields): number {
  let sum = 0
  for (const [name, value] of fields) sum += textBytes(name) + valueBytes(value)
  return sum
}

/**
 * Firestore's size of a document: 16 + its name + its fields + 32 (firebase.google.com/docs/firestore/storage-size).
 * No value counts for more than four times its encoded bytes, which settles it for all but the largest.
 */
export function isTooLarge(
  segments: readonly string[],
  path: string,
  fields: Fields,
  encodedBytes: number,
): boolean {
  if (4 * (encodedBytes + path.length) + 64 <= MAX_DOCUMENT_BYTES) return false
  const name = segments.reduce((sum, segment) => sum + textBytes(segment), 16)
  return name + fieldsBytes(fields) + 32 > MAX_DOCUMENT_BYTES
}

export function tooLarge(): StatusError {
  return invalid(`The document is larger than ${MAX_DOCUMENT_BYTES} bytes.`)
}
