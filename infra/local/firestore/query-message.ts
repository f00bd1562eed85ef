import { type FieldPath, parseFieldPath } from './field-path.ts'
import { type Consistency, readConsistency } from './messages.ts'
import { invalid, unimplemented } from './status.ts'
import { readValue, type Value } from './value.ts'
import { Reader } from './wire.ts'

/* google/firestore/v1/query.proto, as far as it is served; the numbers are its field numbers. */

export const OPERATORS = [
  undefined,
  '<',
  '<=',
  '>',
  '>=',
  '==',
  '!=',
  'array-contains',
  'in',
  'array-contains-any',
  'not-in',
] as const
export type Operator = Exclude<(typeof OPERATORS)[number], undefined>

/** A filter as sent; unary filters are field filters with null or NaN. */
export type Filter =
  | {
      readonly kind: 'field'
      readonly path: FieldPath
      readonly op: Operator
      readonly value: Value
    }
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] }

export type Order = { readonly path: FieldPath; readonly descending: boolean }
export type Cursor = { readonly values: readonly Value[]; readonly before: boolean }
export type Collection = { readonly id: string; readonly allDescendants: boolean }

export type StructuredQuery = {
  from: Collection[]
  where: Filter | undefined
  orderBy: Order[]
  startAt: Cursor | undefined
  endAt: Cursor | undefined
  offset: number
  /** undefined means all. */
  limit: number | undefined
  /** undefined means whole documents. */
  select: FieldPath[] | undefined
}

const NAN: Value = { kind: 'double', value: Number.NaN }
const NULL: Value = { kind: 'null' }
const UNARY: Record<number, { op: Operator; value: Value }> = {
  2: { op: '==', value: NAN },
  3: { op: '==', value: NULL },
  4: { op: '!=', value: NAN },
  5: { op: '!=', value: NULL },
}

/** FieldReference, Sum, Avg and Int64Value wrappers all hold one thing; this reads the field path of the first. */
export function readReference(r: Reader): FieldPath {
  let text = ''
  while (r.next()) {
    if (r.field === 2) text = r.string()
    else r.skip()
  }
  return parseFieldPath(text)
}

function readFieldFilter(r: Reader): Filter {
  let path: FieldPath = []
  let op: Operator | undefined
  let value: Value = { kind: 'unset' }
  while (r.next()) {
    if (r.field === 1) path = readReference(r.message())
    else if (r.field === 2) op = OPERATORS[r.int32()]
    else if (r.field === 3) value = readValue(r.message())
    else r.skip()
  }
  if (op === undefined || path.length === 0 || value.kind === 'unset')
    throw invalid('A filter lacks its field, operator or value.')
  return { kind: 'field', path, op, value }
}

function readUnaryFilter(r: Reader): Filter {
  let path: FieldPath = []
  let op = 0
  while (r.next()) {
    if (r.field === 1) op = r.int32()
    else if (r.field === 2) path = readReference(r.message())
    else r.skip()
  }
  const comparison = UNARY[op]
  if (comparison === undefined || path.length === 0)
    throw invalid('A unary filter lacks its field or operator.')
  return { kind: 'field', path, ...comparison }
}

function readComposite(r: Reader): Filter {
  const filters: Filter[] = []
  let op = 0
  while (r.next()) {
    if (r.field === 1) op = r.int32()
    else if (r.field === 2) filters.push(readFilter(r.message()))
    else r.skip()
  }
  if (op !== 1 && op !== 2) throw invalid('A composite filter lacks its operator.')
  if (filters.length === 0) throw invalid('A composite filter is empty.')
  return { kind: op === 1 ? 'and' : 'or', filters }
}

function readFilter(r: Reader): Filter {
  let filter: Filter | undefined
  while (r.next()) {
    if (r.field === 1) filter = readComposite(r.message())
    else if (r.field === 2) filter = readFieldFilter(r.message())
    else if (r.field === 3) filter = readUnaryFilter(r.message())
    else r.skip()
  }
  if (filter === undefined) throw invalid('A filter is empty.')
  return filter
}

function readOrder(r: Reader): Order {
  let path: FieldPath = []
  let descending = false
  while (r.next()) {
    if (r.field === 1) path = readReference(r.message())
    else if (r.field === 2) descending = r.int32() === 2
    else r.skip()
  }
  return { path, descending }
}

function readCursor(r: Reader): Cursor {
  const values: Value[] = []
  let before = false
  while (r.next()) {
    if (r.field === 1) values.push(readValue(r.message()))
    else if (r.field === 2) before = r.bool()
    else r.skip()
  }
  return { values, before }
}

function readCollection(r: Reader): Collection {
  let id = ''
  let allDescendants = false
  while (r.next()) {
    if (r.field === 2) id = r.string()
    else if (r.field === 3) allDescendants = r.bool()
    else r.skip()
  }
  return { id, allDescendants }
}

function readProjection(r: Reader): FieldPath[] {
  const paths: FieldPath[] = []
  while (r.next()) {
    if (r.field === 2) paths.push(readReference(r.message()))
    else r.skip()
  }
  return paths
}

export function readWrapped(r: Reader): bigint {
  let value = 0n
  while (r.next()) {
    if (r.field === 1) value = r.int64()
    else r.skip()
  }
  return value
}

function readQueryField(r: Reader, query: StructuredQuery): void {
  switch (r.field) {
    case 1:
      query.select = readProjection(r.message())
      return
    case 2:
      query.from.push(readCollection(r.message()))
      return
    case 3:
      query.where = readFilter(r.message())
      return
    case 4:
      query.orderBy.push(readOrder(r.message()))
      return
    case 5:
      query.limit = Number(readWrapped(r.message()))
      return
    case 6:
      query.offset = r.int32()
      return
    case 7:
      query.startAt = readCursor(r.message())
      return
    case 8:
      query.endAt = readCursor(r.message())
      return
    case 9:
      throw unimplemented('Vector search (find_nearest) is not served here.')
    default:
      r.skip()
  }
}

export function readQuery(r: Reader): StructuredQuery {
  const query: StructuredQuery = {
    from: [],
    where: undefined,
    orderBy: [],
    startAt: undefined,
    endAt: undefined,
    offset: 0,
    limit: undefined,
    select: undefined,
  }
  while (r.next()) readQueryField(r, query)
  return query
}

export type RunQuery = {
  parent: string
  query: StructuredQuery | undefined
  consistency: Consistency
}

export function readRunQuery(buffer: Buffer): RunQuery {
  const r = new Reader(buffer)
  const request: RunQuery = { parent: '', query: undefined, consistency: {} }
  while (r.next()) {
    if (r.field === 1) request.parent = r.string()
    else if (r.field === 2) request.query = readQuery(r.message())
    else if (r.field === 10) throw unimplemented('Query explanation is not served here.')
    else readConsistency(r, request.consistency, { transaction: 5, begin: 6, readTime: 7 })
  }
  return request
}
