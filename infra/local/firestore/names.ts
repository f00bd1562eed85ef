import { invalid } from './status.ts'

/** A resource name taken apart: `projects/p/databases/d/documents/users/ann` has database `projects/p/databases/d` and path ['users', 'ann']. */
export type ResourceName = { readonly database: string; readonly path: readonly string[] }

const MAX_SEGMENT_BYTES = 1500
const MAX_DEPTH = 100
const NAME = /^(projects\/[^/]+\/databases\/[^/]+)(?:\/documents(?:\/(.*))?)?$/su
const DATABASE = /^projects\/[^/]+\/databases\/[^/]+$/u

const reserved = (segment: string) =>
  segment.startsWith('__') && /^__.*__$/su.test(segment) && !/^__id-?\d+__$/u.test(segment)

function checkSegment(segment: string): void {
  if (segment === '') throw invalid('A path segment is empty.')
  if (segment === '.' || segment === '..') throw invalid(`A path segment may not be "${segment}".`)
  if (reserved(segment)) throw invalid(`The name "${segment}" is reserved.`)
  if (segment.length * 3 > MAX_SEGMENT_BYTES && Buffer.byteLength(segment) > MAX_SEGMENT_BYTES)
    throw invalid(`A path segment is longer than ${MAX_SEGMENT_BYTES} bytes.`)
}

/** Throws INVALID_ARGUMENT on anything that is not a well-formed name, below `database` (a well-formed one) where it is given. */
export function parseName(name: string, database?: string): ResourceName {
  const start = `${database}/documents/`
  if (database !== undefined && name.startsWith(start))
    return { database, path: parsePath(name, name.slice(start.length)) }
  const match = NAME.exec(name)
  if (match?.[1] === undefined) throw invalid(`"${name}" is not a resource name.`)
  if (database !== undefined && match[1] !== database)
    throw invalid(`"${name}" is not in the database "${database}".`)
  return { database: match[1], path: match[2] === undefined ? [] : parsePath(name, match[2]) }
}

function parsePath(name: string, text: string): readonly string[] {
  const path = text.split('/')
  for (const segment of path) checkSegment(segment)
  if (path.length > MAX_DEPTH * 2) throw invalid(`"${name}" is nested more than ${MAX_DEPTH} deep.`)
  return path
}

export function checkDatabase(database: string): void {
  if (!DATABASE.test(database)) throw invalid(`"${database}" is not a database name.`)
}

export function parseDocumentName(name: string, database?: string): ResourceName {
  const parsed = parseName(name, database)
  if (parsed.path.length === 0 || parsed.path.length % 2 === 1)
    throw invalid(`"${name}" is not a document name.`)
  return parsed
}

/** The root of the documents or a document: what a collection can lie under. */
export function parseParent(name: string): ResourceName {
  const parsed = parseName(name)
  if (parsed.path.length % 2 === 1) throw invalid(`"${name}" is not a document name.`)
  return parsed
}

export function checkCollectionId(id: string): void {
  if (id.includes('/')) throw invalid(`"${id}" is not a collection id.`)
  checkSegment(id)
}
