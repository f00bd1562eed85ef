import { StorageError } from './errors.ts'
import { isJsonObject, type JsonObject, optionalText, parseJsonObject } from './json.ts'

const TEXT_FIELDS = [
  'contentType',
  'cacheControl',
  'contentDisposition',
  'contentEncoding',
  'contentLanguage',
  'customTime',
  'storageClass',
] as const

type TextField = (typeof TEXT_FIELDS)[number]

/** What a client may write about an object; absent means not set. */
export type ObjectSettings = Partial<Record<TextField, string>> & {
  /** Custom metadata; the case of the keys is kept. */
  metadata?: Record<string, string>
}

/** What an object has as its type where nobody said one. */
export const DEFAULT_CONTENT_TYPE = 'application/octet-stream'

/** Documented limit of keys plus values of the custom metadata of one object. */
const MAX_METADATA_BYTES = 8 * 1024
/** Longest single text field: most of them become response headers. */
const MAX_FIELD_BYTES = 4 * 1024
/** Not implemented here; accepting them silently would promise a protection that is not there. */
const UNIMPLEMENTED = ['temporaryHold', 'eventBasedHold', 'retention', 'kmsKeyName']

const isControl = (sign: string) => (sign < ' ' && sign !== '\t') || sign === '\x7f'

function checkText(field: string, value: string): string {
  if ([...value].some(isControl)) {
    throw new StorageError('invalid', `${field} must not hold control characters.`)
  }
  if (Buffer.byteLength(value) > MAX_FIELD_BYTES) {
    throw new StorageError('invalid', `${field} is longer than ${MAX_FIELD_BYTES} bytes.`)
  }
  return value
}

function checkMetadata(metadata: Record<string, string>): Record<string, string> {
  let bytes = 0
  for (const [key, value] of Object.entries(metadata)) {
    if ([...key].some(isControl) || key === '' || !key.isWellFormed()) {
      throw new StorageError('invalid', 'A metadata key is empty or holds control characters.')
    }
    if ([...value].some((sign) => sign === '\r' || sign === '\n' || sign === '\0')) {
      throw new StorageError('invalid', `metadata.${key} must not hold line breaks or NUL.`)
    }
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (bytes > MAX_METADATA_BYTES) {
    throw new StorageError('invalid', `Custom metadata is over ${MAX_METADATA_BYTES} bytes.`)
  }
  return metadata
}

/** Merges a patch of the custom metadata: a null value removes its key, null removes them all. */
function mergeMetadata(
  before: Record<string, string>,
  patch: unknown,
): Record<string, string> | undefined {
  if (patch === null) return undefined
  if (!isJsonObject(patch)) throw new StorageError('invalid', 'metadata must be an object.')
  const merged = new Map(Object.entries(before))
  for (const key of Object.keys(patch)) {
    const value = optionalText(patch, key)
    if (value === undefined) merged.delete(key)
    else merged.set(key, value)
  }
  return checkMetadata(Object.fromEntries(merged))
}

/**
 * Applies the writable fields of an object resource to `before` (`{}` for a new object): null
 * removes a field, custom metadata is merged key by key, read-only and unknown fields are ignored.
 * 400 for a wrong type or size, 501 for a setting that this server does not have.
 */
export function applySettings(before: ObjectSettings, resource: JsonObject): ObjectSettings {
  const unimplemented = UNIMPLEMENTED.find((field) => Boolean(resource[field]))
  if (unimplemented) throw new StorageError('unimplemented', `${unimplemented} is not here.`)
  const after: ObjectSettings = { ...before }
  for (const field of TEXT_FIELDS.filter((each) => each in resource)) {
    const value = optionalText(resource, field)
    if (value === undefined) delete after[field]
    else after[field] = checkText(field, value)
  }
  if (!('metadata' in resource)) return after
  const { metadata: _before, ...rest } = after
  const metadata = mergeMetadata(before.metadata ?? {}, resource['metadata'])
  return metadata === undefined ? rest : { ...rest, metadata }
}

/** Reads settings that this server wrote itself. */
export const parseSettings = (stored: string): ObjectSettings =>
  applySettings({}, parseJsonObject(stored, 'a stored row'))
