/**
 * Shapes of what callers send and get: one value gives the TypeScript type, the check with `errors[]`,
 * and the JSON Schema of the API description.
 */
import type { FieldError } from '../domain/problem.ts'

export type JsonSchema = { readonly [keyword: string]: unknown }

/** Collects what is wrong; `field` is the dotted path within the request. */
export type Refuse = (field: string, message: string) => void

export type Schema<T> = {
  /** JSON Schema 2020-12, as OpenAPI 3.1 takes it. */
  readonly json: JsonSchema
  /** True where the member may be absent. */
  readonly optional: boolean
  /** The checked value; what is wrong goes to `refuse`, and the value returned then is never used. */
  read(value: unknown, field: string, refuse: Refuse): T | undefined
}

export type Infer<S> = S extends Schema<infer T> ? T : never

type Shape = { readonly [member: string]: Schema<unknown> }
type OptionalKeys<S extends Shape> = {
  [K in keyof S]: undefined extends Infer<S[K]> ? K : never
}[keyof S]
type ObjectOf<S extends Shape> = {
  readonly [K in Exclude<keyof S, OptionalKeys<S>>]: Infer<S[K]>
} & { readonly [K in OptionalKeys<S>]?: Exclude<Infer<S[K]>, undefined> }
export type ObjectSchema<T = unknown> = Schema<T> & { readonly members: readonly string[] }

function schema<T>(
  json: JsonSchema,
  read: (value: unknown, field: string, refuse: Refuse) => T | undefined,
): Schema<T> {
  return { json, optional: false, read }
}

export type StringLimits = {
  readonly description?: string
  readonly minLength?: number
  /** UTF-16 code units. */
  readonly maxLength: number
  readonly pattern?: RegExp
  readonly format?: string
  readonly example?: string
}

function stringProblem(value: string, limits: StringLimits): string | undefined {
  if (value.length < (limits.minLength ?? 0))
    return `must have at least ${limits.minLength} characters`
  if (value.length > limits.maxLength) return `must have at most ${limits.maxLength} characters`
  if (value.includes('\0') || !value.isWellFormed())
    return 'may not hold NUL or half of a surrogate pair'
  if (limits.pattern !== undefined && !limits.pattern.test(value)) return 'has the wrong form'
  return undefined
}

/** A string within limits; the pattern goes into the API description as it stands. */
export function string(limits: StringLimits): Schema<string> {
  const { pattern, example, ...keywords } = limits
  const json = {
    type: 'string',
    ...keywords,
    ...(pattern === undefined ? {} : { pattern: pattern.source }),
    ...(example === undefined ? {} : { examples: [example] }),
  }
  return schema(json, (value, field, refuse) => {
    if (typeof value !== 'string') {
      refuse(field, 'must be a string')
      return undefined
    }
    const problem = stringProblem(value, limits)
    if (problem !== undefined) refuse(field, problem)
    return value
  })
}

export type IntegerLimits = {
  readonly minimum: number
  readonly maximum: number
  readonly default?: number
  readonly description?: string
}

/** A whole number within limits. In a query it is written in plain decimal digits. */
export function integer(limits: IntegerLimits): Schema<number> {
  return schema({ type: 'integer', ...limits }, (value, field, refuse) => {
    const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
    if (typeof number === 'number' && Number.isSafeInteger(number)) {
      if (number >= limits.minimum && number <= limits.maximum) return number
    }
    refuse(field, `must be a whole number from ${limits.minimum} to ${limits.maximum}`)
    return undefined
  })
}

/** `true` or `false`; in a query as these words. */
export function boolean(description?: string): Schema<boolean> {
  const json = { type: 'boolean', ...(description === undefined ? {} : { description }) }
  return schema(json, (value, field, refuse) => {
    if (value === true || value === 'true') return true
    if (value === false || value === 'false') return false
    refuse(field, 'must be true or false')
    return undefined
  })
}

/** One of the given words. */
export function oneOf<const T extends string>(
  words: readonly T[],
  description?: string,
): Schema<T> {
  const json = {
    type: 'string',
    enum: words,
    ...(description === undefined ? {} : { description }),
  }
  return schema(json, (value, field, refuse) => {
    const word = words.find((candidate) => candidate === value)
    if (word === undefined) refuse(field, `must be one of ${words.join(', ')}`)
    return word
  })
}

/** A member that may be absent. */
export function optional<T>(inner: Schema<T>): Schema<T | undefined> {
  return {
    json: inner.json,
    optional: true,
    read: (value, field, refuse) =>
      value === undefined ? undefined : inner.read(value, field, refuse),
  }
}

/** A list of at most `maxItems`. */
export function array<T>(items: Schema<T>, maxItems: number): Schema<readonly T[]> {
  return schema({ type: 'array', items: items.json, maxItems }, (value, field, refuse) => {
    if (!Array.isArray(value) || value.length > maxItems) {
      refuse(field, `must be a list of at most ${maxItems}`)
      return undefined
    }
    return value.flatMap((item: unknown, index) => {
      const read = items.read(item, `${field}[${index}]`, refuse)
      return read === undefined ? [] : [read]
    })
  })
}

function isRecord(value: unknown): value is { readonly [member: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An object with exactly these members; others are refused (AUTH-07, HTTP-07). */
export function object<const S extends Shape>(
  shape: S,
  description?: string,
): ObjectSchema<ObjectOf<S>> {
  const members = Object.keys(shape)
  const required = members.filter((member) => shape[member]?.optional === false)
  const json = {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    properties: Object.fromEntries(members.map((member) => [member, shape[member]?.json])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  }
  const read = (value: unknown, field: string, refuse: Refuse) =>
    readMembers(shape, members, value, field, refuse)
  return { json, optional: false, members, read }
}

function readMembers<S extends Shape>(
  shape: S,
  members: readonly string[],
  value: unknown,
  field: string,
  refuse: Refuse,
): ObjectOf<S> | undefined {
  if (!isRecord(value)) {
    refuse(field, 'must be an object')
    return undefined
  }
  const path = (member: string) => (field === '' ? member : `${field}.${member}`)
  if (Object.keys(value).some((member) => !members.includes(member))) {
    refuse(field, `may only have the members ${members.join(', ')}`)
  }
  const entries = members.flatMap((member) => {
    const read = Object.hasOwn(value, member) ? value[member] : undefined
    if (read === undefined && shape[member]?.optional === false) {
      refuse(path(member), 'is required')
      return []
    }
    const checked = shape[member]?.read(read, path(member), refuse)
    return checked === undefined ? [] : [[member, checked] as const]
  })
  const built: unknown = Object.assign(Object.create(null), Object.fromEntries(entries))
  return isObjectOf<S>(built) ? built : undefined
}

/** Every member was read by its own schema just before. */
function isObjectOf<S extends Shape>(value: unknown): value is ObjectOf<S> {
  return isRecord(value)
}

/** The checked value, or every refused field. */
export function check<T>(
  wanted: Schema<T>,
  value: unknown,
): { readonly value: T } | { readonly errors: readonly FieldError[] } {
  const errors: FieldError[] = []
  const read = wanted.read(value, '', (field, message) => errors.push({ field, message }))
  if (errors.length > 0 || read === undefined) return { errors }
  return { value: read }
}
