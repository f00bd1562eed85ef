import type { StoredDocument } from './document.ts'
import { type FieldPath, getField } from './field-path.ts'
import { KeyWriter } from './key-writer.ts'
import { closedPathKey, valueKey, writeClosedPath, writeKey } from './order-key.ts'
import type { Value } from './value.ts'

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

/** What the elements of an array add to a key, each once. */
function elementKeys(value: Value): Iterable<Buffer> {
  if (value.kind !== 'array') return []
  const keys = new Map<string, Buffer>()
  for (const item of value.value) {
    const key = valueKey(item)
    keys.set(key.toString('latin1'), key)
  }
  return keys.values()
}

/** Entries are written one after the other into the same buffer: what they start with is written once. */
class EntryWriter {
  readonly keys: Buffer[] = []
  readonly #writer: KeyWriter
  readonly #shape: IndexShape
  readonly #document: StoredDocument

  constructor(writer: KeyWriter, shape: IndexShape, document: StoredDocument) {
    this.#writer = writer
    this.#shape = shape
    this.#document = document
  }

  /** Components from this one on, then the name. */
  write(at: number): void {
    const component = this.#shape.components[at]
    if (component === undefined) {
      this.#close()
      return
    }
    const value = getField(this.#document.fields, component.path)
    if (value === undefined) return
    const start = this.#writer.length
    if (component.mode === 'contains') {
      for (const key of elementKeys(value)) {
        this.#writer.truncate(start).raw(key)
        this.write(at + 1)
      }
      return
    }
    writeKey(this.#writer, value)
    if (component.mode === 'descending') this.#writer.invertFrom(start)
    this.write(at + 1)
  }

  #close(): void {
    const { group, nameDescending } = this.#shape
    const { segments } = this.#document
    const start = this.#writer.length
    writeClosedPath(this.#writer, group ? segments : segments.slice(-1))
    if (nameDescending) this.#writer.invertFrom(start)
    this.keys.push(this.#writer.finish())
  }
}

const scratch = new KeyWriter()

/** The entries of one document: none when it lacks a field, one each for the elements of an array that is indexed by `contains`. */
export function entryKeys(shape: IndexShape, document: StoredDocument): Buffer[] {
  const writer = scratch.truncate(0)
  if (!shape.group) writeClosedPath(writer, document.segments.slice(0, -1))
  const entries = new EntryWriter(writer, shape, document)
  entries.write(0)
  return entries.keys
}

/** Does a document have the same entries in both states? True only where that is seen at a glance. */
export function sameEntries(
  { components }: IndexShape,
  before: StoredDocument,
  after: StoredDocument,
): boolean {
  return components.every(
    ({ path }) => getField(before.fields, path) === getField(after.fields, path),
  )
}
