import type { RangeOperator } from './bounds.ts'
import { type FieldPath, isNameField, NAME_FIELD, samePath } from './field-path.ts'
import { valueKey } from './order-key.ts'
import type { Filter, Operator, Order, StructuredQuery } from './query-message.ts'
import { invalid } from './status.ts'
import { compareUtf8, type Value } from './value.ts'

const MAX_DISJUNCTIONS = 30
const MAX_IN = 30
const MAX_NOT_IN = 10

/** A condition that a single index entry or document can be held against; `in` and `array-contains-any` have been spread out. */
export type Condition =
  | Comparison
  | { readonly path: FieldPath; readonly op: 'contains'; readonly value: Value }
  | Exclusion

/** `nothing` holds of no value at all: null and NaN in an `in`, or `not-in` with a null. */
export type Exclusion = {
  readonly path: FieldPath
  readonly op: 'none-of'
  readonly values: readonly Value[]
  readonly nothing: boolean
}

export type Comparison = {
  readonly path: FieldPath
  readonly op: RangeOperator
  readonly value: Value
}

/** The query as "any of these lists of conditions, in this complete order, `__name__` last". */
export type NormalQuery = {
  readonly disjuncts: readonly (readonly Condition[])[]
  readonly orders: readonly Order[]
}

type FieldFilter = Extract<Filter, { kind: 'field' }>

function leaves(filter: Filter | undefined): FieldFilter[] {
  if (filter === undefined) return []
  return filter.kind === 'field' ? [filter] : filter.filters.flatMap(leaves)
}

const LIST_OPERATORS: ReadonlySet<Operator> = new Set(['in', 'not-in', 'array-contains-any'])
const isContains = (op: Operator) => op === 'array-contains' || op === 'array-contains-any'
const isInequality = (op: Operator) =>
  op !== '==' && op !== 'in' && op !== 'array-contains' && op !== 'array-contains-any'

function operands({ value, op }: FieldFilter, limit: number): readonly Value[] {
  if (value.kind !== 'array') throw invalid(`"${op}" needs an array.`)
  if (value.value.length === 0) throw invalid(`"${op}" needs a non-empty array.`)
  if (value.value.length > limit) throw invalid(`"${op}" takes at most ${limit} values.`)
  return value.value
}

/** As in Firestore, null and NaN in a list never equal anything; a listed null makes `not-in` hold of nothing. */
function exclusion(path: FieldPath, values: readonly Value[]): Exclusion {
  const nothing = values.some(({ kind }) => kind === 'null')
  return { path, op: 'none-of', values: values.filter((value) => !isNan(value)), nothing }
}

/** Every way to satisfy one filter. */
function spread(filter: FieldFilter): Condition[] {
  const { path, op, value } = filter
  switch (op) {
    case 'in':
      return operands(filter, MAX_IN).map((item) =>
        item.kind === 'null' || isNan(item)
          ? { path, op: 'none-of', values: [], nothing: true }
          : { path, op: '==', value: item },
      )
    case 'array-contains-any':
      return operands(filter, MAX_IN).map((item) => ({ path, op: 'contains', value: item }))
    case 'array-contains':
      return [{ path, op: 'contains', value }]
    case 'not-in':
      return [exclusion(path, operands(filter, MAX_NOT_IN))]
    case '!=':
      return [{ path, op: 'none-of', values: [value], nothing: false }]
    default:
      return [{ path, op, value }]
  }
}

/** The same for filters that say the same, in whatever order. */
function filterKey(filter: Filter): string {
  if (filter.kind !== 'field')
    return JSON.stringify([filter.kind, keySet(filter.filters.map(filterKey))])
  const { path, op, value } = filter
  const isList = LIST_OPERATORS.has(op) && value.kind === 'array'
  const keys = (isList ? value.value : [value]).map((one) => valueKey(one).toString('latin1'))
  return JSON.stringify([path, op, keySet(keys)])
}

function keySet(keys: readonly string[]): string[] {
  return [...new Set(keys)].sort()
}

/** As in the real one: filters side by side count once; what only their product brings together does not. */
function eachOnce(filters: readonly Filter[]): Filter[] {
  return [...new Map(filters.map((filter) => [filterKey(filter), filter])).values()]
}

function disjunctions(filter: Filter): Condition[][] {
  if (filter.kind === 'field') return spread(filter).map((condition) => [condition])
  const filters = eachOnce(filter.filters)
  if (filter.kind === 'or') return limited(filters.flatMap(disjunctions))
  return filters
    .map(disjunctions)
    .reduce((left, right) => limited(left.flatMap((a) => right.map((b) => [...a, ...b]))))
}

function limited(disjuncts: Condition[][]): Condition[][] {
  if (disjuncts.length > MAX_DISJUNCTIONS)
    throw invalid(`The query has more than ${MAX_DISJUNCTIONS} disjunctions.`)
  return disjuncts
}

const isNan = (value: Value) => value.kind === 'double' && Number.isNaN(value.value)

function hasOr(filter: Filter | undefined): boolean {
  if (filter === undefined || filter.kind === 'field') return false
  return filter.kind === 'or' || filter.filters.some(hasOr)
}

function checkNegations(filters: readonly FieldFilter[], or: boolean): void {
  const negations = filters.filter(({ op }) => op === '!=' || op === 'not-in')
  if (negations.length > 1) throw invalid('A query takes only one of "!=" and "not-in".')
  const notIn = negations.some(({ op }) => op === 'not-in')
  if (notIn && (or || filters.some(({ op }) => op === 'in' || op === 'array-contains-any')))
    throw invalid('"not-in" cannot stand beside "in", "array-contains-any" or an OR.')
}

function checkContains(disjuncts: readonly (readonly Condition[])[]): void {
  for (const conditions of disjuncts)
    if (conditions.filter(({ op }) => op === 'contains').length > 1)
      throw invalid('A disjunction takes only one array-contains filter.')
}

/** The written order, then inequality fields by name, then the document's name, in the last written direction. */
function completeOrder(query: StructuredQuery, filters: readonly FieldFilter[]): Order[] {
  const orders = [...query.orderBy]
  const descending = orders.at(-1)?.descending ?? false
  const implied = filters
    .filter(({ op, path }) => isInequality(op) && !isNameField(path))
    .map(({ path }) => path)
    .sort((a, b) => compareUtf8(a.join('.'), b.join('.')))
  for (const path of implied)
    if (!orders.some((order) => samePath(order.path, path))) orders.push({ path, descending })
  if (!orders.some(({ path }) => isNameField(path))) orders.push({ path: [NAME_FIELD], descending })
  const name = orders.findIndex(({ path }) => isNameField(path))
  if (name !== orders.length - 1) throw invalid('Nothing can be ordered after __name__.')
  return orders
}

function checkNumbers(query: StructuredQuery, orders: readonly Order[]): void {
  if ((query.limit ?? 0) < 0) throw invalid('The limit is negative.')
  if (query.offset < 0) throw invalid('The offset is negative.')
  for (const cursor of [query.startAt, query.endAt])
    if ((cursor?.values.length ?? 0) > orders.length)
      throw invalid('A cursor has more values than the query has orders.')
}

function checkNames(filters: readonly FieldFilter[]): void {
  for (const { path, op, value } of filters) {
    if (!isNameField(path)) continue
    if (isContains(op)) throw invalid(`__name__ cannot be compared with "${op}".`)
    const values = value.kind === 'array' ? value.value : [value]
    if (values.some(({ kind }) => kind !== 'reference'))
      throw invalid('__name__ can only be compared with references.')
  }
}

function identity(condition: Condition): string {
  const values = 'value' in condition ? [condition.value] : condition.values
  const keys = values.map((value) => valueKey(value).toString('latin1'))
  const nothing = 'nothing' in condition && condition.nothing
  return JSON.stringify([condition.path, condition.op, keys, nothing])
}

/** Filters and disjunctions written twice count once. */
function unique(disjuncts: readonly Condition[][]): Condition[][] {
  const seen = new Map<string, Condition[]>()
  for (const conditions of disjuncts) {
    const distinct = new Map(conditions.map((condition) => [identity(condition), condition]))
    seen.set([...distinct.keys()].sort().join(' '), [...distinct.values()])
  }
  return [...seen.values()]
}

function satisfiable(conditions: readonly Condition[]): boolean {
  return !conditions.some((condition) => condition.op === 'none-of' && condition.nothing)
}

/** Checks the query and brings it into one form. Throws INVALID_ARGUMENT. */
export function normalise(query: StructuredQuery): NormalQuery {
  const filters = leaves(query.where)
  checkNegations(filters, hasOr(query.where))
  checkNames(filters)
  const spelled = query.where === undefined ? [[]] : disjunctions(query.where)
  checkContains(spelled)
  const disjuncts = unique(spelled)
  const orders = completeOrder(query, filters)
  checkNumbers(query, orders)
  return { disjuncts: disjuncts.filter(satisfiable), orders }
}
