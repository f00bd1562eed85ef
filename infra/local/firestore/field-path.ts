import { invalid } from './status.ts'
import type { Fields, Value } from './value.ts'

/** A field's name, segment by segment: `a.b` is ['a', 'b'], `` `a.b` `` is ['a.b']. */
export type FieldPath = readonly string[]

/** The document's own name in queries; no stored field can have it. */
export const NAME_FIELD = '__name__'

const SEGMENT = /(?:([A-Za-z_][A-Za-z_0-9]*)|`((?:[^`\\]|\\.)+)`)(\.|$)/suy

/** Parses the notation of the API: segments other than `[A-Za-z_][A-Za-z_0-9]*` stand in backticks. Throws INVALID_ARGUMENT. */
export function parseFieldPath(text: string): FieldPath {
  const path: string[] = []
  SEGMENT.lastIndex = 0
  let separator = '.'
  while (separator === '.') {
    const match = SEGMENT.exec(text)
    if (match === null) throw invalid(`Invalid property path "${text}".`)
    path.push(match[1] ?? (match[2] ?? '').replace(/\\(.)/gsu, '$1'))
    separator = match[3] ?? ''
  }
  return path
}

export function samePath(a: FieldPath, b: FieldPath): boolean {
  return a.length === b.length && a.every((segment, i) => segment === b[i])
}

export function isNameField(path: FieldPath): boolean {
  return path.length === 1 && path[0] === NAME_FIELD
}

export function getField(fields: Fields, path: FieldPath): Value | undefined {
  let current: Fields = fields
  for (let i = 0; ; i += 1) {
    const value = current.get(path[i] ?? '')
    if (i === path.length - 1) return value
    if (value?.kind !== 'map') return undefined
    current = value.value
  }
}

/** A copy of `fields` with the value at `path`; maps on the way are made, other values on the way replaced. Absent value deletes. */
export function withField(fields: Fields, path: FieldPath, value: Value | undefined): Fields {
  const [head = '', ...rest] = path
  const child = fields.get(head)
  const copy = new Map(fields)
  if (rest.length === 0) {
    if (value === undefined) copy.delete(head)
    else copy.set(head, value)
    return copy
  }
  if (child?.kind !== 'map' && value === undefined) return fields
  const inner: Fields = child?.kind === 'map' ? child.value : new Map()
  copy.set(head, { kind: 'map', value: withField(inner, rest, value) })
  return copy
}

/** Only the listed fields, where they exist. */
export function project(fields: Fields, paths: readonly FieldPath[]): Fields {
  let result: Fields = new Map()
  for (const path of paths) {
    const value = getField(fields, path)
    if (value !== undefined) result = withField(result, path, value)
  }
  return result
}
