import { type FieldPath, isNameField, samePath } from './field-path.ts'
import {
  type CompositeIndex,
  hasSingleField,
  type IndexField,
  type IndexList,
} from './index-list.ts'
import type { Condition, NormalQuery } from './normal-form.ts'
import { equalities, fieldOf, orderedField, type Scope } from './plan.ts'
import type { Order } from './query-message.ts'
import { StatusError } from './status.ts'

/** What one disjunct needs indexed: equality fields in any order, then ordered fields in this order and direction. */
type Need = {
  readonly kind: string
  readonly group: boolean
  readonly equal: readonly IndexField[]
  readonly ordered: readonly IndexField[]
}

/**
 * Throws FAILED_PRECONDITION when production would need an index for the query that is not in the
 * list. `summed` are fields of sums and averages, which production reads from the index, too.
 */
export function requireIndex(
  list: IndexList,
  { kind, group }: Scope,
  { disjuncts, orders }: NormalQuery,
  summed: readonly FieldPath[],
): void {
  if (kind === undefined) return
  for (const conditions of disjuncts) {
    const need = needOf(kind, group, conditions, orders, summed)
    if (!served(list, need)) throw new StatusError('FAILED_PRECONDITION', missing(need))
  }
}

function needOf(
  kind: string,
  group: boolean,
  conditions: readonly Condition[],
  orders: readonly Order[],
  summed: readonly FieldPath[],
): Need {
  const equal = equalities(conditions).map(fieldOf)
  const free = (path: FieldPath) => !equal.some((field) => samePath(field.path, path))
  const named = orders.filter(({ path }) => !isNameField(path))
  const ordered = named.filter(({ path }) => free(path)).map(orderedField)
  for (const path of summed)
    if (free(path) && !ordered.some((field) => samePath(field.path, path)))
      ordered.push({ path, mode: 'ascending' })
  const name = orders.at(-1)
  const against = name !== undefined && name.descending !== (named.at(-1) ?? name).descending
  return { kind, group, equal, ordered: against ? [...ordered, orderedField(name)] : ordered }
}

/** One ordered field or any number of equalities live on single-field indexes; everything else needs a composite. */
function served(list: IndexList, need: Need): boolean {
  const { equal, ordered, kind, group } = need
  if (equal.length > 0 && ordered.length > 0) return composed(list, need)
  if (ordered.length > 1) return composed(list, need)
  const single = [...equal, ...ordered].every((field) => hasSingleField(list, kind, group, field))
  return single || composed(list, need)
}

/** Composites with the same ordered tail can be merged, as long as together they have every equality field. */
function composed({ composites }: IndexList, need: Need): boolean {
  const fitting = composites.filter((composite) => fits(composite, need))
  if (fitting.length === 0) return false
  return need.equal.every((field) =>
    fitting.some(({ fields }) => fields.some((other) => sameField(other, field, false))),
  )
}

function fits({ kind, group, fields }: CompositeIndex, need: Need): boolean {
  if (kind !== need.kind || group !== need.group) return false
  const split = fields.length - need.ordered.length
  if (split < 0) return false
  const tail = need.ordered.every((field, i) => {
    const listed = fields[split + i]
    return listed !== undefined && sameField(listed, field, true)
  })
  const head = fields.slice(0, split)
  return tail && head.every((field) => need.equal.some((other) => sameField(field, other, false)))
}

function sameField(a: IndexField, b: IndexField, directed: boolean): boolean {
  if (!samePath(a.path, b.path)) return false
  return directed ? a.mode === b.mode : (a.mode === 'contains') === (b.mode === 'contains')
}

function missing({ kind, group, equal, ordered }: Need): string {
  const scope = group ? 'COLLECTION_GROUP' : 'COLLECTION'
  const fields = [...equal, ...ordered].map(({ path, mode }) => `${path.join('.')} ${mode}`)
  return `The query requires an index on ${kind} (${scope}): ${fields.join(', ')}.`
}
