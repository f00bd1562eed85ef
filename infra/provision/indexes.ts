/** `firestore.indexes.json`, checked. */
import { readFile } from 'node:fs/promises'

export type Index = {
  readonly collectionGroup: string
  readonly queryScope: 'COLLECTION' | 'COLLECTION_GROUP'
  readonly fields: readonly { readonly fieldPath: string; readonly order?: string }[]
}
export type FieldOverride = {
  readonly collectionGroup: string
  readonly fieldPath: string
  readonly ttl?: boolean
  /** Empty: the field has no index at all. */
  readonly indexes: readonly unknown[]
}
export type Indexes = {
  readonly indexes: readonly Index[]
  readonly fieldOverrides: readonly FieldOverride[]
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isIndex(value: unknown): value is Index {
  return (
    isRecord(value) &&
    typeof value['collectionGroup'] === 'string' &&
    (value['queryScope'] === 'COLLECTION' || value['queryScope'] === 'COLLECTION_GROUP') &&
    Array.isArray(value['fields']) &&
    value['fields'].every((field) => isRecord(field) && typeof field['fieldPath'] === 'string')
  )
}

function isOverride(value: unknown): value is FieldOverride {
  return (
    isRecord(value) &&
    typeof value['collectionGroup'] === 'string' &&
    typeof value['fieldPath'] === 'string' &&
    Array.isArray(value['indexes'])
  )
}

function isIndexes(value: unknown): value is Indexes {
  return (
    isRecord(value) &&
    Array.isArray(value['indexes']) &&
    value['indexes'].every(isIndex) &&
    Array.isArray(value['fieldOverrides']) &&
    value['fieldOverrides'].every(isOverride)
  )
}

/** The repository's index definitions; throws where the file has another form. */
export async function readIndexes(): Promise<Indexes> {
  const file = new URL('../../firestore.indexes.json', import.meta.url)
  const parsed: unknown = JSON.parse(await readFile(file, 'utf8'))
  if (!isIndexes(parsed)) throw new TypeError('firestore.indexes.json has another form')
  return parsed
}
