import { ProblemError } from '../domain/problem.ts'
import type { DocumentSnapshot } from './firestore.ts'

/** A stored field that is not what its writer writes (F26); the cause names it in the log. */
function corrupt(path: string, field: string, form: string): ProblemError {
  const cause = new Error(`${path} has no ${form} in ${field}`)
  return new ProblemError('unavailable', { retryAfterSeconds: 60, cause })
}

/** The fields of a document that exists, each checked as it is read; throws `unavailable` where one has another form. */
export type Fields = {
  text(field: string): string
  textOrNone(field: string): string | undefined
  number(field: string): number
  date(field: string): Date
  dateOrNone(field: string): Date | undefined
  /** The field's own word, one of the given. */
  word<const T extends string>(field: string, words: readonly T[]): T
}

function dateOf(value: unknown): Date | undefined {
  if (value instanceof Date) return value
  const timestamp = typeof value === 'object' && value !== null && 'toDate' in value
  const date: unknown = timestamp && typeof value.toDate === 'function' ? value.toDate() : undefined
  return date instanceof Date ? date : undefined
}

/** `prefix` is the path of a map within the document, with a final dot. */
export function fieldsOf(document: DocumentSnapshot, prefix = ''): Fields {
  const stored = (field: string): unknown => document.get(`${prefix}${field}`)
  const found = <T>(value: T | undefined, field: string, form: string): T => {
    if (value === undefined) throw corrupt(document.ref.path, `${prefix}${field}`, form)
    return value
  }
  const textOrNone = (field: string) => {
    const value = stored(field)
    return typeof value === 'string' ? value : undefined
  }
  const number = (field: string) => {
    const value = stored(field)
    return typeof value === 'number' ? value : undefined
  }
  const dateOrNone = (field: string) => dateOf(stored(field))
  return {
    text: (field) => found(textOrNone(field), field, 'text'),
    textOrNone,
    number: (field) => found(number(field), field, 'number'),
    date: (field) => found(dateOrNone(field), field, 'time'),
    dateOrNone,
    word: (field, words) => {
      const value = stored(field)
      return found(
        words.find((word) => word === value),
        field,
        words.join(' or '),
      )
    },
  }
}
