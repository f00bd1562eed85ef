/** A bounded JSON body: one object, strict UTF-8, no duplicate members, five levels (HTTP-02). */
import type { Readable } from 'node:stream'
import { ProblemError } from '../domain/problem.ts'
import { isJson } from './content.ts'
import type { JsonBody } from './endpoint.ts'
import { check } from './schema.ts'

const MAX_DEPTH = 5

function malformed(detail: string): ProblemError {
  return new ProblemError('malformed_json', { detail })
}

function decodeText(bytes: Buffer): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    if (!text.startsWith('\uFEFF') && !text.includes('\0')) return text
  } catch {
    // The decoder's message says nothing that a caller could use.
  }
  throw malformed('The body must be UTF-8 without byte order mark')
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message quotes the body, which may hold a password: it is no cause to keep.
  }
  throw malformed('The body is not JSON')
}

/** The name as it is meant, so that two spellings of one are noticed. */
function nameOf(token: string): string {
  const name: unknown = JSON.parse(token)
  return typeof name === 'string' ? name : token
}

/** Names seen in an object; undefined for a list, whose strings are all values. */
type Level = Set<string> | undefined

function open(levels: Level[], token: string): void {
  levels.push(token === '{' ? new Set() : undefined)
  if (levels.length > MAX_DEPTH) throw malformed(`At most ${MAX_DEPTH} levels may be nested`)
}

function addName(names: Level, name: string): void {
  if (names?.has(name)) throw malformed('A member is given twice')
  names?.add(name)
}

/** Looks at each member's name and each bracket of a text that is known to be JSON. */
function refuseStructure(text: string): void {
  const levels: Level[] = []
  for (const [token, name] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === '{' || token === '[') open(levels, token)
    else if (token === '}' || token === ']') levels.pop()
    else if (name !== undefined) addName(levels.at(-1), nameOf(name))
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The one object of a JSON text. Throws `malformed_json`. */
export function parseJsonObject(bytes: Buffer): object {
  const text = decodeText(bytes)
  const value = parseText(text)
  refuseStructure(text)
  if (!isObject(value)) throw malformed('The body must be one JSON object')
  return value
}

/** All texts within a value, so that the log can leave them out. */
export function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : []
}

export type JsonSource = {
  readonly contentType: string | undefined
  /** The bounded bytes of the body. */
  open(): Readable
  /** Takes every text of the body, before anything can fail with it. */
  keepSecret(texts: readonly string[]): void
}

/** The checked body, undefined where it may be and is empty. Throws `malformed_json`, `unsupported_media_type`, `invalid_request`. */
export async function readJsonBody(spec: JsonBody<unknown>, source: JsonSource): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of source.open()) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  if (bytes.length === 0) {
    if (spec.required) throw malformed('A JSON object is required as the body')
    return undefined
  }
  if (!isJson(source.contentType)) {
    throw new ProblemError('unsupported_media_type', { detail: 'Send application/json' })
  }
  const value = parseJsonObject(bytes)
  source.keepSecret(textsOf(value))
  const checked = check(spec.schema, value)
  if ('errors' in checked) throw new ProblemError('invalid_request', { errors: checked.errors })
  return checked.value
}
