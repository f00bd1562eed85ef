import { type FieldPath, isNameField, parseFieldPath, samePath } from './field-path.ts'
import type { IndexShape } from './index-definition.ts'

type Mode = 'ascending' | 'descending' | 'contains'
export type IndexField = { readonly path: FieldPath; readonly mode: Mode }

/** A composite index as listed; `__name__` is kept only where it stands in the list. */
export type CompositeIndex = {
  readonly kind: string
  readonly group: boolean
  readonly fields: readonly IndexField[]
}

/** All single-field indexes that one field has, in place of the automatic ones. */
export type FieldOverride = {
  readonly kind: string
  readonly path: FieldPath
  readonly indexes: readonly { readonly group: boolean; readonly mode: Mode }[]
}

/** A `firestore.indexes.json` (firebase.google.com/docs/reference/firestore/indexes). */
export type IndexList = {
  readonly composites: readonly CompositeIndex[]
  readonly overrides: readonly FieldOverride[]
}

type Json = Record<string, unknown>

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null

function list(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isJson) : []
}

function word(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('The index list lacks a name.')
  return value
}

const isGroup = (entry: Json) => entry['queryScope'] === 'COLLECTION_GROUP'

function modeOf(entry: Json): Mode {
  if (entry['arrayConfig'] === 'CONTAINS') return 'contains'
  return entry['order'] === 'DESCENDING' ? 'descending' : 'ascending'
}

/** Reads the parsed file; throws TypeError where a name is missing. */
export function parseIndexList(json: unknown): IndexList {
  const file = isJson(json) ? json : {}
  return {
    composites: list(file['indexes']).map((entry) => ({
      kind: word(entry['collectionGroup']),
      group: isGroup(entry),
      fields: list(entry['fields']).map((field) => ({
        path: parseFieldPath(word(field['fieldPath'])),
        mode: modeOf(field),
      })),
    })),
    overrides: list(file['fieldOverrides']).map((entry) => ({
      kind: word(entry['collectionGroup']),
      path: parseFieldPath(word(entry['fieldPath'])),
      indexes: list(entry['indexes']).map((index) => ({
        group: isGroup(index),
        mode: modeOf(index),
      })),
    })),
  }
}

/** Does the field have this single-field index, by the list or by itself? */
export function hasSingleField(
  { overrides }: IndexList,
  kind: string,
  group: boolean,
  { path, mode }: IndexField,
): boolean {
  const override = overrides.find((other) => other.kind === kind && samePath(other.path, path))
  if (override === undefined) return !group
  return override.indexes.some((index) => index.group === group && index.mode === mode)
}

/**
 * How listed composites are stored here, so that they exist before their first document. All fields
 * but the last are taken for equality and the last for the order, which is the usual query; each
 * equality field also gets an index of its own. A wrong guess costs an unused index.
 */
export function declaredShapes({ composites }: IndexList, kind: string): IndexShape[] {
  return composites
    .filter((composite) => composite.kind === kind)
    .flatMap(({ group, fields }) => {
      const named = fields.filter(({ path }) => !isNameField(path))
      const last = named.at(-1)
      const ordered = last === undefined || last.mode === 'contains' ? [] : [last]
      const equal = named.slice(0, named.length - ordered.length)
      const composite = indexShape(group, equal, ordered, last?.mode === 'descending')
      return [composite, ...equal.map((field) => indexShape(group, [field], [], false))]
    })
}

/** The order in which equality fields stand in an index, whatever order the query has them in. */
export function compareEqualities(a: IndexField, b: IndexField): number {
  const label = ({ path, mode }: IndexField) => JSON.stringify([path, mode === 'contains'])
  return label(a) < label(b) ? -1 : 1
}

/** The one shape for all queries with these equality fields (in any order) and this order, read forwards or backwards. */
export function indexShape(
  group: boolean,
  equal: readonly IndexField[],
  ordered: readonly IndexField[],
  nameDescending: boolean,
): IndexShape {
  const components = equal
    .map(({ path, mode }) => ({ path, mode: mode === 'contains' ? mode : ('ascending' as const) }))
    .sort(compareEqualities)
  const [first] = ordered
  const flip = first === undefined ? nameDescending : first.mode === 'descending'
  const turned = ordered.map(({ path, mode }) => ({
    path,
    mode: (mode === 'descending') === flip ? ('ascending' as const) : ('descending' as const),
  }))
  return { group, components: [...components, ...turned], nameDescending: nameDescending !== flip }
}
