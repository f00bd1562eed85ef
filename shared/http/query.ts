/** The query string of a route: documented names only, each once, typed (HTTP-07). */
import { type FieldError, ProblemError } from '../domain/problem.ts'
import type { ObjectSchema } from './schema.ts'
import { check } from './schema.ts'

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

function refused(errors: readonly FieldError[]): ProblemError {
  return new ProblemError('invalid_request', { errors })
}

type Pair = { readonly name: string; readonly value: string }

function pairOf(text: string, known: readonly string[]): Pair {
  const at = text.indexOf('=')
  const name = decoded(at < 0 ? text : text.slice(0, at))
  const value = decoded(at < 0 ? '' : text.slice(at + 1))
  if (name !== undefined && value !== undefined && known.includes(name)) return { name, value }
  const message = known.length === 0 ? 'no parameter is known here' : `known: ${known.join(', ')}`
  throw refused([{ field: 'query', message }])
}

function membersOf(queryText: string, known: readonly string[]): ReadonlyMap<string, string> {
  const members = new Map<string, string>()
  for (const text of queryText.split('&').filter((part) => part !== '')) {
    const { name, value } = pairOf(text, known)
    if (members.has(name)) throw refused([{ field: name, message: 'may be given once' }])
    members.set(name, value)
  }
  return members
}

/** The checked query; undefined where the route declares none. Throws `invalid_request`. */
export function readQuery(
  wanted: ObjectSchema | undefined,
  queryText: string | undefined,
): unknown {
  const members = membersOf(queryText ?? '', wanted?.members ?? [])
  if (wanted === undefined) return undefined
  const checked = check(wanted, Object.fromEntries(members))
  if ('errors' in checked) throw refused(checked.errors)
  return checked.value
}
