import type { StoredDocument } from './document.ts'
import { type FieldPath, getField } from './field-path.ts'
import { closedPathKey, inverted, valueKey } from './order-key.ts'

/** How one field stands in an index: by value, by value downwards, or one entry for each element of an array. */
export type Component = {
  readonly path: FieldPath
  readonly mode: 'ascending' | 'descending' | 'contains'
}

/** What is indexed for the documents of one kind: in each collection, or over all collections of that id. */
export type IndexShape = {
  readonly group: boolean
  readonly components: readonly Component[]
  readonly nameDescending: boolean
}

const MODES = { a: 'ascending', d: 'descending', c: 'contains' } as const

/** Equal shapes have equal signatures; `parseShape` is the inverse. */
export function shapeSignature({ group, components, nameDescending }: IndexShape): string {
  const parts = components.map(({ path, mode }) => [mode.charAt(0), ...path])
  return JSON.stringify([group ? 'group' : 'collection', nameDescending ? 'd' : 'a', parts])
}

const isMode = (text: unknown): text is keyof typeof MODES =>
  typeof text === 'string' && text in MODES

export function parseShape(signature: string): IndexShape {
  const parsed: unknown = JSON.parse(signature)
  if (!Array.isArray(parsed)) throw new TypeError('An index definition is damaged.')
  const [scope, direction, parts]: unknown[] = parsed
  if (!Array.isArray(parts)) throw new TypeError('An index definition is damaged.')
  const components = parts.map((part: unknown) => {
    const [mode, ...path]: unknown[] = Array.isArray(part) ? part : []
    if (!isMode(mode)) throw new TypeError('An index definition is damaged.')
    return { mode: MODES[mode], path: path.map(String) }
  })
  return { group: scope === 'group', components, nameDescending: direction === 'd' }
}

/** What all entries of one collection start with; nothing for a group. */
export function scopeKey(group: boolean, collection: readonly string[]): Buffer {
  return group ? Buffer.alloc(0) : closedPathKey(collection)
}

/** A document's name as the last part of its entries. */
export function nameKey(group: boolean, segments: readonly string[]): Buffer {
  return closedPathKey(group ? segments : segments.slice(-1))
}

function componentKeys(document: StoredDocument, { path, mode }: Component): Buffer[] {
  const value = getField(document.fields, path)
  if (value === undefined) return []
  if (mode === 'ascending') return [valueKey(value)]
  if (mode === 'descending') return [inverted(valueKey(value))]
  if (value.kind !== 'array') return []
  const keys = new Map(value.value.map((item) => [valueKey(item).toString('latin1'), item]))
  return [...keys.values()].map(valueKey)
}

/** The entries of one document: none when it lacks a field, one each for the elements of an array that is indexed by `contains`. */
export function entryKeys(shape: IndexShape, document: StoredDocument): Buffer[] {
  const segments = document.path.split('/')
  const name = nameKey(shape.group, segments)
  const tail = shape.nameDescending ? inverted(name) : name
  let keys: Buffer[] = [scopeKey(shape.group, segments.slice(0, -1))]
  for (const component of shape.components) {
    const values = componentKeys(document, component)
    keys = keys.flatMap((start) => values.map((value) => Buffer.concat([start, value])))
  }
  return keys.map((start) => Buffer.concat([start, tail]))
}
