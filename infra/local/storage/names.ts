import { StorageError } from './errors.ts'

/** Names that are path prefixes of this server (and, but for the last, too short anyway). */
const TAKEN = new Set(['b', 'o', 'upload', 'download', 'storage', 'resumable', 'batch'])

/** True for names that can be no bucket because paths of the JSON side start with them. */
export const isReserved = (name: string) => TAKEN.has(name)

const BUCKET = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/
const MAX_NAME_BYTES = 1024

/** Bucket names as cloud.google.com/storage/docs/buckets#naming documents them; else 400. */
export function checkBucketName(name: string): void {
  const parts = name.split('.')
  const fits =
    BUCKET.test(name) &&
    !TAKEN.has(name) &&
    !name.startsWith('goog') &&
    parts.every((part) => part.length > 0 && part.length <= 63) &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name)
  if (!fits) throw new StorageError('invalid', `Invalid bucket name: '${name}'`)
}

/** Object names: 1 to 1024 bytes of UTF-8, no CR or LF, not `.` or `..`; else 400. */
export function checkObjectName(name: string): void {
  const bytes = Buffer.byteLength(name)
  if (bytes === 0) throw new StorageError('invalid', 'Required: the object has no name.')
  if (bytes > MAX_NAME_BYTES) {
    throw new StorageError('invalid', `The object name is longer than ${MAX_NAME_BYTES} bytes.`)
  }
  const forbidden = name === '.' || name === '..' || /[\r\n]/.test(name) || !name.isWellFormed()
  if (forbidden) throw new StorageError('invalid', 'Disallowed object name.')
}
