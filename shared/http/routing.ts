/** Declared routes as a table: method and path in, route and path members out. */
import { ProblemError } from '../domain/problem.ts'
import type { Caller } from '../domain/role.ts'
import type { ClientAddress, Identify, Method, Reply, Route, SecurityEvent } from './endpoint.ts'
import type { receivePhoto } from './photo-body.ts'
import { check } from './schema.ts'

/** A request as the pipeline puts it together, before it has the type of its route. */
export type AssembledRequest = {
  readonly id: string
  readonly now: Date
  readonly address: ClientAddress
  readonly signal: AbortSignal
  readonly publicUrl: string | undefined
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly bearer: string | undefined
  readonly caller: Caller | undefined
  readonly idempotencyKey: string | undefined
  accepts<const T extends string>(offered: readonly T[]): T
  readonly event: SecurityEvent
}

/** How the photo of a request is read: `receivePhoto` of `photo-body.ts`. */
export type ReceivePhoto = typeof receivePhoto

/** A route with what serves it. */
export type Binding = {
  readonly functionName: string
  readonly method: Method
  /** `/photos/{id}` */
  readonly template: string
  readonly route: Route
  readonly identify: Identify | undefined
  readonly receivePhoto: ReceivePhoto | undefined
  handle(request: AssembledRequest): Promise<Reply>
}

export type Found = { readonly binding: Binding; readonly params: unknown }
export type Routing = {
  /** Throws `method_not_allowed` with `Allow`, or `not_found`. */
  find(method: string, path: string): Found
  /** The methods of a known path, as `Allow` lists them. Throws `not_found`. */
  allow(path: string): string
}

type Pattern = { readonly binding: Binding; readonly segments: readonly string[] }
type Match = { readonly binding: Binding; readonly values: Readonly<Record<string, string>> }

const isMember = (segment: string) => segment.startsWith('{')

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

function matches(pattern: Pattern, segments: readonly string[]): Match | undefined {
  if (pattern.segments.length !== segments.length) return undefined
  const pairs = pattern.segments.map((wanted, index) => [wanted, segments[index] ?? ''] as const)
  const fits = pairs.every(([wanted, given]) =>
    isMember(wanted) ? given !== '' : wanted === given,
  )
  if (!fits) return undefined
  const members = pairs.filter(([wanted]) => isMember(wanted))
  const values = Object.fromEntries(members.map(([wanted, given]) => [wanted.slice(1, -1), given]))
  return { binding: pattern.binding, values }
}

function paramsOf({ binding, values }: Match): unknown {
  if (binding.route.params === undefined) return undefined
  const checked = check(binding.route.params, values)
  if ('errors' in checked) throw new ProblemError('not_found')
  return checked.value
}

function allowOf(found: readonly Match[]): string {
  const methods = found.map((match) => match.binding.method)
  const withHead = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  return [...new Set([...withHead, 'OPTIONS'])].join(', ')
}

/** A table of all bindings; of two patterns that fit, the one with fewer members wins. */
export function createRouting(bindings: readonly Binding[]): Routing {
  const patterns = bindings
    .map((binding) => ({ binding, segments: binding.template.split('/').slice(1) }))
    .toSorted((a, b) => a.segments.filter(isMember).length - b.segments.filter(isMember).length)
  const lookUp = (path: string): readonly Match[] => {
    if (!path.startsWith('/')) return []
    const segments = path.slice(1).split('/').map(decoded)
    const known = segments.filter((segment) => segment !== undefined)
    if (known.length < segments.length) return []
    const all = patterns.flatMap((pattern) => matches(pattern, known) ?? [])
    return all.filter(({ binding }) => binding.template === all[0]?.binding.template)
  }
  return {
    find(method, path) {
      const found = lookUp(path)
      if (found.length === 0) throw new ProblemError('not_found')
      const wanted = method === 'HEAD' ? 'GET' : method
      const match = found.find(({ binding }) => binding.method === wanted)
      if (match === undefined) {
        throw new ProblemError('method_not_allowed', { headers: { Allow: allowOf(found) } })
      }
      return { binding: match.binding, params: paramsOf(match) }
    },
    allow(path) {
      const found = lookUp(path)
      if (found.length === 0) throw new ProblemError('not_found')
      return allowOf(found)
    },
  }
}
