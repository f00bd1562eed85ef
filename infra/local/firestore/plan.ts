import { Bounds } from './bounds.ts'
import { compile, type Test } from './conditions.ts'
import type { Range } from './connection.ts'
import { collectionPrefix, kindPrefix } from './document.ts'
import { isNameField, samePath } from './field-path.ts'
import { type IndexShape, nameKey, scopeKey } from './index-definition.ts'
import { compareEqualities, type IndexField, indexShape } from './index-list.ts'
import { checkCollectionId, parseDocumentName, parseParent } from './names.ts'
import { type Comparison, type Condition, type NormalQuery, normalise } from './normal-form.ts'
import { inverted, pathKey, typeRange, valueKey } from './order-key.ts'
import type { Cursor, Order, StructuredQuery } from './query-message.ts'
import { invalid } from './status.ts'
import type { Value } from './value.ts'

/** What a query reads: one collection, or all collections of an id below a parent; `kind` absent means every id. */
export type Scope = {
  readonly databaseName: string
  readonly parent: readonly string[]
  readonly kind: string | undefined
  readonly group: boolean
}

/** One ordered scan; the part of each key behind `prefixLength` sorts alike in all scans of a plan. */
export type Scan = {
  readonly range: Range
  readonly prefixLength: number
  readonly test: Test | undefined
}

export type Plan = { readonly scans: readonly Scan[]; readonly reverse: boolean }

/** How the plan gets at its indexes; the present and a snapshot have their own. */
export type Catalogue = {
  readonly database: number
  /** All collection ids, for queries over every one. */
  kinds(): string[]
  source(kind: string, shape: IndexShape): Range['source']
}

export function scopeOf(parentName: string, query: StructuredQuery): Scope {
  const [selector, ...others] = query.from
  if (selector === undefined || others.length > 0)
    throw invalid('A query reads exactly one collection or collection group.')
  const { database, path } = parseParent(parentName)
  if (selector.id === '' && !selector.allDescendants)
    throw invalid('A query without a collection id must read all descendants.')
  if (selector.id !== '') checkCollectionId(selector.id)
  return {
    databaseName: database,
    parent: path,
    kind: selector.id === '' ? undefined : selector.id,
    group: selector.allDescendants,
  }
}

/** Plans one query; everything about it that depends on stored state comes through `catalogue`. */
export class Planner {
  readonly #scope: Scope
  readonly #query: StructuredQuery
  readonly #normal: NormalQuery
  /** Stored indexes begin ascending; a query that begins descending reads them backwards. */
  readonly #reverse: boolean

  constructor(scope: Scope, query: StructuredQuery) {
    this.#scope = scope
    this.#query = query
    this.#normal = normalise(query)
    this.#reverse = this.#normal.orders[0]?.descending ?? false
    if (scope.kind === undefined && !this.#onlyNames())
      throw invalid('A query over all collections can only filter and order by __name__.')
  }

  get normal(): NormalQuery {
    return this.#normal
  }

  plan(catalogue: Catalogue): Plan {
    const kinds = this.#scope.kind === undefined ? catalogue.kinds() : [this.#scope.kind]
    const scans = kinds.flatMap((kind) =>
      this.#normal.disjuncts.map((conditions) => this.#scan(catalogue, kind, conditions)),
    )
    return { scans, reverse: this.#reverse }
  }

  #onlyNames(): boolean {
    const { disjuncts, orders } = this.#normal
    const paths = [...disjuncts.flat(), ...orders].map(({ path }) => path)
    return paths.every(isNameField)
  }

  #scan(catalogue: Catalogue, kind: string, conditions: readonly Condition[]): Scan {
    const equal = equalities(conditions)
    const ordered = this.#normal.orders.slice(0, -1)
    const bounds = this.#bounds(conditions)
    const rest = conditions.filter((condition) => !this.#settled(condition, equal))
    const test = this.#test(rest, equal.length + ordered.length > 0)
    if (equal.length + ordered.length === 0) return this.#documents(catalogue, kind, bounds, test)
    const nameDescending = this.#normal.orders.at(-1)?.descending ?? false
    const { group } = this.#scope
    const shape = indexShape(group, equal.map(fieldOf), ordered.map(orderedField), nameDescending)
    const collection = [...this.#scope.parent, kind]
    const prefix = Buffer.concat([
      scopeKey(this.#scope.group, collection),
      ...equal.map(({ value }) => valueKey(value)),
    ])
    const source = catalogue.source(kind, shape)
    return scanOf(prefix, bounds, test, { source, reverse: this.#reverse, depth: undefined })
  }

  #documents(catalogue: Catalogue, kind: string, bounds: Bounds, test: Test | undefined): Scan {
    const source = { table: 'docs' as const, index: 0 }
    if (this.#scope.group) {
      if (this.#scope.parent.length > 0) bounds.compare('==', pathKey(this.#scope.parent))
      const prefix = kindPrefix(catalogue.database, kind)
      return scanOf(prefix, bounds, test, {
        source,
        reverse: this.#reverse,
        depth: undefined,
      })
    }
    const prefix = collectionPrefix(catalogue.database, [...this.#scope.parent, kind])
    const rest = { source, reverse: this.#reverse, depth: this.#scope.parent.length + 2 }
    return scanOf(prefix, bounds, test, rest)
  }

  /** Does the scan itself guarantee the condition? */
  #settled(condition: Condition, equal: readonly Equality[]): boolean {
    if (equal.some((other) => other === condition)) return true
    return this.#bounding(condition)
  }

  /** A comparison of the first ordered field becomes the scan's range. */
  #bounding(condition: Condition): condition is Comparison {
    if (condition.op === 'contains' || condition.op === 'none-of') return false
    const first = this.#normal.orders[0]
    if (first === undefined || !samePath(first.path, condition.path)) return false
    return isNameField(condition.path) || condition.op !== '=='
  }

  #bounds(conditions: readonly Condition[]): Bounds {
    const bounds = new Bounds()
    for (const condition of conditions) {
      if (!this.#bounding(condition)) continue
      const { path, op, value } = condition
      if (isNameField(path)) bounds.compare(op, this.#name(value))
      else bounds.compareTyped(op, valueKey(value), typeRange(value))
    }
    const { startAt, endAt } = this.#query
    if (startAt !== undefined) this.#cursor(bounds, startAt, true)
    if (endAt !== undefined) this.#cursor(bounds, endAt, false)
    return bounds
  }

  #cursor(bounds: Bounds, { values, before }: Cursor, start: boolean): void {
    const key = Buffer.concat(values.map((value, i) => this.#cursorPart(value, i)))
    if (key.length === 0) return
    const included = start === before
    if (start !== this.#reverse) bounds.from(key, included)
    else bounds.until(key, included)
  }

  #cursorPart(value: Value, position: number): Buffer {
    const order = this.#normal.orders[position]
    if (order === undefined) return Buffer.alloc(0)
    const key = isNameField(order.path) ? this.#name(value) : valueKey(value)
    return order.descending === this.#reverse ? key : inverted(key)
  }

  /** A document's name as the last part of a key; within one collection only its own documents have one. */
  #name(value: Value): Buffer {
    if (value.kind !== 'reference') throw invalid('__name__ can only be compared with references.')
    const { group, kind, parent, databaseName } = this.#scope
    const { path } = parseDocumentName(value.value, databaseName)
    if (!group && path.slice(0, -1).join('/') !== [...parent, kind].join('/'))
      throw invalid(`"${value.value}" is not in the collection that is queried.`)
    return nameKey(group, path)
  }

  /** Index entries of a group lie in no order of parents, so the parent is checked afterwards. */
  #test(rest: readonly Condition[], indexed: boolean): Test | undefined {
    const test = compile(rest, this.#scope.databaseName)
    const { group, parent } = this.#scope
    if (!group || !indexed || parent.length === 0) return test
    const start = `${parent.join('/')}/`
    return (document) => document.path.startsWith(start) && (test?.(document) ?? true)
  }
}

export type Equality = Extract<Condition, { value: Value }>

/** One equality for each field, by name, so that every spelling of a query shares an index; all array-contains count. */
export function equalities(conditions: readonly Condition[]): Equality[] {
  const result: Equality[] = []
  for (const condition of conditions) {
    if (condition.op !== '==' && condition.op !== 'contains') continue
    if (isNameField(condition.path)) continue
    if (!result.some((other) => other.op === condition.op && samePath(other.path, condition.path)))
      result.push(condition)
  }
  return result.sort((a, b) => compareEqualities(fieldOf(a), fieldOf(b)))
}

export function fieldOf({ path, op }: Equality): IndexField {
  return { path, mode: op === 'contains' ? 'contains' : 'ascending' }
}

export function orderedField({ path, descending }: Order): IndexField {
  return { path, mode: descending ? 'descending' : 'ascending' }
}

function scanOf(
  prefix: Buffer,
  { low, high }: Bounds,
  test: Test | undefined,
  rest: Pick<Range, 'source' | 'reverse' | 'depth'>,
): Scan {
  const range = {
    ...rest,
    low: Buffer.concat([prefix, low]),
    high: Buffer.concat([prefix, high]),
  }
  return { range, prefixLength: prefix.length, test }
}
