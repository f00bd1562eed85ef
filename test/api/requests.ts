/** Requests made from the API description: most of them nearly right, some of them nothing like it. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { type Description, type Members, members, type Operation } from './description.ts'

export type FuzzedRequest = {
  readonly operation: Operation
  readonly token: 'user' | 'admin' | 'none' | 'wrong'
  /** Values of the path's members; a number is one of the ids that were seen before. */
  readonly params: Readonly<Record<string, string | number>>
  readonly query: readonly (readonly [string, string])[]
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array<ArrayBuffer> | string | undefined
}

const PHOTO = new Uint8Array(readFileSync('test/image/fixtures/cwebp-lossy-everything.webp'))
const JUNK = fc.oneof(fc.constantFrom('', '.', '__x__', '\u0000', 'null', '-1'), fc.string())

function stringOf(schema: Members): fc.Arbitrary<string> {
  const { enum: words, pattern, minLength, maxLength, format } = schema
  if (Array.isArray(words)) return fc.constantFrom(...words.map(String))
  if (format === 'date-time') return fc.constant('2026-01-01T00:00:00Z')
  const limits = { minLength: Number(minLength ?? 0), maxLength: Math.min(Number(maxLength), 80) }
  const simple = typeof pattern === 'string' && !pattern.includes('(?')
  if (simple) return fc.stringMatching(new RegExp(pattern))
  const examples = Array.isArray(schema['examples']) ? schema['examples'].map(String) : []
  const words_ = fc.string({ unit: 'grapheme', ...limits })
  return examples.length === 0 ? words_ : fc.oneof(fc.constantFrom(...examples), words_)
}

function integerOf({ minimum, maximum }: Members): fc.Arbitrary<number> {
  const [min, max] = [Number(minimum ?? 0), Number(maximum ?? 1000)]
  return fc.oneof(fc.constantFrom(min, max, min - 1, max + 1, 0.5), fc.integer({ min, max }))
}

function anyValueOf(schema: Members): fc.Arbitrary<unknown> {
  if (schema['type'] === 'string') return stringOf(schema)
  if (schema['type'] === 'integer') return integerOf(schema)
  if (schema['type'] === 'boolean') return fc.boolean()
  const properties = Object.entries(members(schema['properties']))
  const record = Object.fromEntries(
    properties.map(([name, inner]) => {
      const right = { arbitrary: anyValueOf(members(inner)), weight: 8 }
      return [name, fc.oneof(right, { arbitrary: fc.jsonValue(), weight: 1 })]
    }),
  )
  const required = Array.isArray(schema['required']) ? schema['required'].map(String) : []
  const whole = fc.record(record, { requiredKeys: required })
  const more = fc.tuple(
    fc.record(record, { requiredKeys: [] }),
    fc.dictionary(JUNK, fc.jsonValue()),
  )
  return fc.oneof(
    { arbitrary: whole, weight: 6 },
    { arbitrary: more.map(([some, other]) => ({ ...some, ...other })), weight: 1 },
    { arbitrary: fc.jsonValue(), weight: 1 },
  )
}

type Content = Pick<FuzzedRequest, 'body' | 'headers'>

const TYPES = fc.constantFrom(
  'text/plain',
  'application/json',
  'multipart/form-data',
  'image/*',
  '',
)

/** A photo with some bytes changed, cut off or added. */
const photo = fc
  .record({
    changes: fc.array(fc.tuple(fc.nat(PHOTO.length - 1), fc.nat(255)), { maxLength: 3 }),
    length: fc.oneof(fc.constant(PHOTO.length), fc.nat(PHOTO.length)),
    extra: fc.uint8Array({ maxLength: 8 }),
  })
  .map(({ changes, length, extra }) => {
    const bytes = new Uint8Array([...PHOTO.subarray(0, length), ...extra])
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
    return bytes
  })

function formOf(name: string, bytes: Uint8Array, end: string): Uint8Array<ArrayBuffer> {
  const head = `--b\r\nContent-Disposition: form-data; name="${name}"; filename="a.webp"\r\n\r\n`
  return new Uint8Array(Buffer.concat([Buffer.from(head), bytes, Buffer.from(end)]))
}

const photoContent: fc.Arbitrary<Content> = fc.oneof(
  photo.map((body) => ({ body, headers: { 'content-type': 'image/webp' } })),
  fc
    .tuple(fc.constantFrom('file', 'photo', 'a"b'), photo, fc.constantFrom('\r\n--b--\r\n', ''))
    .map(([name, bytes, end]) => ({
      body: formOf(name, bytes, end),
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
    })),
  fc.tuple(JUNK, TYPES).map(([body, type]) => ({ body, headers: { 'content-type': type } })),
)

function contentOf(description: Description, operation: Operation): fc.Arbitrary<Content> {
  const content = members(description.resolve(operation.spec['requestBody'])['content'])
  if (content['image/*'] !== undefined) return photoContent
  const json = content['application/json']
  if (json === undefined) return fc.constant({ body: undefined, headers: {} })
  const right = anyValueOf(members(members(json)['schema'])).map((value) => ({
    body: JSON.stringify(value),
    headers: { 'content-type': 'application/json' },
  }))
  const wrong = fc
    .tuple(JUNK, TYPES)
    .map(([body, type]) => ({ body, headers: { 'content-type': type } }))
  return fc.oneof({ arbitrary: right, weight: 6 }, { arbitrary: wrong, weight: 1 })
}

function parametersOf(description: Description, { spec }: Operation, place: string) {
  const all: readonly unknown[] = Array.isArray(spec['parameters']) ? spec['parameters'] : []
  return all
    .map((parameter) => description.resolve(parameter))
    .filter((parameter) => parameter['in'] === place)
    .map((parameter) => [String(parameter['name']), members(parameter['schema'])] as const)
}

function paramsOf(description: Description, operation: Operation) {
  const named = parametersOf(description, operation, 'path').map(([name, schema]) => {
    const given = fc.oneof(fc.nat(20), stringOf(schema), JUNK)
    return [name, given.filter((value) => !/^\.{1,2}$/.test(String(value)))] as const
  })
  return fc.record(Object.fromEntries(named))
}

function queryOf(description: Description, operation: Operation) {
  const known = parametersOf(description, operation, 'query').map(([name, schema]) =>
    fc.tuple(fc.constant(name), fc.oneof(anyValueOf(schema).map(String), JUNK)),
  )
  const unknown = fc.tuple(JUNK, JUNK)
  return fc.oneof(
    { arbitrary: fc.constant([]), weight: 2 },
    { arbitrary: fc.array(fc.oneof(...known, unknown), { maxLength: 3 }), weight: 3 },
  )
}

const HEADERS: fc.Arbitrary<Readonly<Record<string, string>>> = fc.oneof(
  { arbitrary: fc.constant({}), weight: 6 },
  fc.constantFrom<Readonly<Record<string, string>>>(
    { accept: 'application/json' },
    { accept: 'text/html, */*;q=0.1' },
    { accept: 'image/png' },
    { accept: '///' },
    { 'content-encoding': 'gzip' },
    { 'idempotency-key': 'a-key' },
    { 'idempotency-key': 'not a key' },
    { 'x-request-id': 'a' },
    { authorization: 'Basic eDp5' },
  ),
)

/** Any request to any described operation. */
export function fuzzedRequest(description: Description): fc.Arbitrary<FuzzedRequest> {
  return fc.constantFrom(...description.operations).chain((operation) =>
    fc
      .record({
        token: fc.constantFrom('user', 'user', 'user', 'admin', 'admin', 'none', 'wrong'),
        params: paramsOf(description, operation),
        query: queryOf(description, operation),
        headers: HEADERS,
        content: contentOf(description, operation),
      })
      .map(({ content, headers, ...rest }) => ({
        ...rest,
        operation,
        body: content.body,
        headers: { ...content.headers, ...headers },
      })),
  )
}
