import { refusedBecause, StorageError } from './errors.ts'

export type JsonObject = Record<string, unknown>

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The text as a JSON object; anything else is 400 and says what `what` was. */
export function parseJsonObject(source: string, what: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch (cause) {
    throw refusedBecause(cause, 'invalid', `${what} is not valid JSON.`)
  }
  if (!isJsonObject(value)) throw new StorageError('invalid', `${what} must be a JSON object.`)
  return value
}

/** An optional text field; a number or boolean is taken as its text, as the JSON API does. */
export function optionalText(source: JsonObject, field: string): string | undefined {
  const value = source[field]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value.isWellFormed()) return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new StorageError('invalid', `${field} must be a string.`)
}
