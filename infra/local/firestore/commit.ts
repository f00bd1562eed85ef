import { Location, type Micros, microsOf, type StoredDocument } from './document.ts'
import { getField, withField } from './field-path.ts'
import type { Precondition, Write } from './messages.ts'
import { parseDocumentName } from './names.ts'
import { invalid, StatusError } from './status.ts'
import type { Changes, Encoded, Store } from './store.ts'
import { applyTransforms, checkTransforms } from './transforms.ts'
import { checkFieldName, checkFields, isTooLarge, tooLarge } from './validate.ts'
import { encodeFields, type Fields, type Timestamp, type Value } from './value.ts'

/** A write whose form has been checked; `location` is where it goes. */
export type CheckedWrite = { readonly write: Write; readonly location: Location }

/** `updated` is absent after a delete. */
export type WriteResult = {
  readonly updated: Micros | undefined
  readonly results: readonly Value[]
}

/** Checks whatever needs no stored state. Throws INVALID_ARGUMENT. */
export function checkWrite(store: Store, database: string, write: Write): CheckedWrite {
  if (write.kind === 'empty') throw invalid('A write has no operation.')
  const { path } = parseDocumentName(write.name, database)
  for (const segment of write.mask?.flat() ?? []) checkFieldName(segment)
  checkFields(write.fields)
  checkTransforms(write.transforms)
  if (write.kind === 'delete' && write.transforms.length > 0)
    throw invalid('A delete may not carry transforms.')
  return { write, location: new Location(store.database(database), path) }
}

const sameTime = (micros: Micros, time: Timestamp) =>
  microsOf(time) === micros && time.nanos % 1000 === 0

function checkPrecondition(
  { exists, updateTime }: Precondition,
  document: StoredDocument | undefined,
  path: string,
): void {
  if (exists === true && document === undefined)
    throw new StatusError('NOT_FOUND', `No document to update: ${path}`)
  if (exists === false && document !== undefined)
    throw new StatusError('ALREADY_EXISTS', `Document already exists: ${path}`)
  if (updateTime === undefined) return
  if (document === undefined || !sameTime(document.updated, updateTime))
    throw new StatusError(
      'FAILED_PRECONDITION',
      `The stored version of ${path} does not match the required update time.`,
    )
}

/** No mask replaces everything; a mask sets what it lists and deletes what it lists but `fields` lacks. */
function merged({ kind, fields, mask }: Write, before: StoredDocument | undefined): Fields {
  const stored: Fields = before?.fields ?? new Map()
  if (kind === 'transform') return stored
  if (mask === undefined) return fields
  let result = stored
  for (const path of mask) result = withField(result, path, getField(fields, path))
  return result
}

/** Firestore keeps microseconds; finer times are cut when they are written. The same fields where there is nothing to cut. */
function truncated(fields: Fields): Fields {
  let copy: Map<string, Value> | undefined
  for (const [name, value] of fields) {
    const cut = truncatedValue(value)
    if (cut === value) continue
    copy ??= new Map(fields)
    copy.set(name, cut)
  }
  return copy ?? fields
}

function truncatedValue(value: Value): Value {
  if (value.kind === 'timestamp') {
    const { seconds, nanos } = value.value
    const finer = nanos % 1000
    if (finer === 0) return value
    return { kind: 'timestamp', value: { seconds, nanos: nanos - finer } }
  }
  if (value.kind === 'map') {
    const cut = truncated(value.value)
    return cut === value.value ? value : { kind: 'map', value: cut }
  }
  if (value.kind !== 'array') return value
  const items = value.value.map(truncatedValue)
  return items.every((item, i) => item === value.value[i]) ? value : { kind: 'array', value: items }
}

/** Applies one write; nothing has changed when it throws NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION or INVALID_ARGUMENT. */
export function applyWrite(
  changes: Changes,
  { write, location }: CheckedWrite,
  time: Micros,
): WriteResult {
  const whole = replacesWhole(write) ? encoded(write, write.fields, location) : undefined
  if (whole !== undefined && !whole.tooLarge && changes.create(location, whole, time))
    return { updated: time, results: [] }
  const before = changes.find(location)
  checkPrecondition(write.precondition, before, location.path)
  if (write.kind === 'delete') {
    changes.remove(location)
    return { updated: undefined, results: [] }
  }
  const { fields, results } = applyTransforms(merged(write, before), write.transforms, time)
  const final = whole ?? encoded(write, fields, location)
  if (final.tooLarge) throw tooLarge()
  return { updated: changes.put(location, final, time), results }
}

/** Nothing of what is stored has a part in what then will be. */
function replacesWhole({ kind, mask, transforms, precondition }: Write): boolean {
  const needsStored = precondition.exists === true || precondition.updateTime !== undefined
  return kind === 'update' && mask === undefined && transforms.length === 0 && !needsStored
}

/** What is stored of these fields. Throws INVALID_ARGUMENT where they are not those of the write and may not stand. */
function encoded(
  write: Write,
  fields: Fields,
  { segments, path }: Location,
): Encoded & { readonly tooLarge: boolean } {
  if (fields !== write.fields) checkFields(fields)
  const final = truncated(fields)
  const bytes = encodeFields(final)
  return { fields: final, bytes, tooLarge: isTooLarge(segments, path, final, bytes.length) }
}
