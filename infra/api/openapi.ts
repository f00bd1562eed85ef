/** The API description (OpenAPI 3.1), made from the endpoints that the functions themselves use. */
import { PROBLEM_CODES, type ProblemCode } from '../../shared/domain/problem.ts'
import type { Endpoint, ReplySpec, Route } from '../../shared/http/endpoint.ts'
import { problemForm } from '../../shared/http/problem.ts'
import type { JsonSchema, ObjectSchema } from '../../shared/http/schema.ts'
import { HEADERS, problemSchema } from './components.ts'
import { problemsOf } from './problems.ts'

type Part = Readonly<Record<string, unknown>>

const TAGS = [
  { name: 'accounts', description: 'Sign-up, sign-in, devices and the account itself' },
  { name: 'photos', description: 'Upload, list, look at and delete photos' },
  { name: 'administration', description: 'For admins' },
  { name: 'service', description: 'Welcome page, keys and this description' },
]
const TAG_OF: ReadonlyMap<string, string> = new Map([
  ['upload', 'photos'],
  ['uploads', 'photos'],
  ['photos', 'photos'],
  ['users', 'administration'],
  ['welcome', 'service'],
  ['jwks', 'service'],
])

function operationId(key: string): string {
  const words = key.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return words
    .map((word, index) => {
      const lower = word.toLowerCase()
      return index === 0 ? lower : `${lower.charAt(0).toUpperCase()}${lower.slice(1)}`
    })
    .join('')
}

function propertiesOf(schema: ObjectSchema): Readonly<Record<string, JsonSchema>> {
  const properties = schema.json['properties']
  return typeof properties === 'object' && properties !== null ? { ...properties } : {}
}

function requiredOf(schema: ObjectSchema): readonly unknown[] {
  const required = schema.json['required']
  return Array.isArray(required) ? required : []
}

function parameters(schema: ObjectSchema | undefined, place: 'path' | 'query'): readonly Part[] {
  if (schema === undefined) return []
  return Object.entries(propertiesOf(schema)).map(([name, json]) => ({
    name,
    in: place,
    required: place === 'path' || requiredOf(schema).includes(name),
    schema: json,
  }))
}

const IDEMPOTENCY_KEY = { $ref: '#/components/parameters/IdempotencyKey' }

function photoContent(): Part {
  const image = { schema: { type: 'string', contentMediaType: 'application/octet-stream' } }
  return {
    'multipart/form-data': {
      schema: {
        type: 'object',
        required: ['file'],
        properties: { file: { type: 'string', contentMediaType: 'application/octet-stream' } },
      },
    },
    'image/*': image,
    'application/octet-stream': image,
  }
}

function requestBody(route: Route): Part {
  const { body } = route
  if (body === undefined) return {}
  if (body.kind === 'photo') {
    return { requestBody: { required: true, content: photoContent() } }
  }
  const example = body.example === undefined ? {} : { example: body.example }
  const content = { 'application/json': { schema: body.schema.json, ...example } }
  return { requestBody: { required: body.required, content } }
}

function headersOf(names: readonly string[] | undefined): Part {
  const all = ['X-Request-Id', ...(names ?? [])]
  return Object.fromEntries(all.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}

function contentOf(reply: ReplySpec): Part {
  if (reply.schema === undefined && reply.contentType === undefined) return {}
  const schema = reply.schema?.json ?? {
    type: reply.contentType === 'application/json' ? 'object' : 'string',
  }
  const example = reply.example === undefined ? {} : { example: reply.example }
  const others = (reply.otherTypes ?? []).map((type) => [type, { schema: { type: 'string' } }])
  const main = { [reply.contentType ?? 'application/json']: { schema, ...example } }
  return { content: { ...main, ...Object.fromEntries(others) } }
}

function replies(route: Route): readonly (readonly [string, Part])[] {
  return Object.entries(route.replies).map(([status, reply]) => [
    status,
    {
      description: reply.description,
      headers: headersOf(reply.headers),
      ...contentOf(reply),
    },
  ])
}

function problemHeaders(status: number): readonly string[] {
  if (status === 401) return ['WWW-Authenticate']
  if (status === 405) return ['Allow']
  if (status === 429) return ['Retry-After', 'RateLimit', 'RateLimit-Policy']
  return status === 503 ? ['Retry-After'] : []
}

function problemName(status: number, codes: readonly string[]): string {
  return `${status}-${codes.join('.')}`
}

function problemResponse(status: number, codes: readonly ProblemCode[]): Part {
  const retry = status === 409 && codes.some((code) => problemForm(code).retryable === true)
  const known = { 'Retry-After': { $ref: '#/components/headers/Retry-After-Where-Known' } }
  const ofThese = { properties: { code: { enum: codes }, status: { const: status } } }
  const schema = { allOf: [{ $ref: '#/components/schemas/Problem' }, ofThese] }
  return {
    description: codes.join(', '),
    headers: { ...headersOf(problemHeaders(status)), ...(retry ? known : {}) },
    content: { 'application/problem+json': { schema } },
  }
}

function problems(route: Route): readonly (readonly [string, Part])[] {
  return [...problemsOf(route)].map(([status, codes]) => [
    String(status),
    { $ref: `#/components/responses/${problemName(status, codes)}` },
  ])
}

/** Every set of problems that some route can answer with, once; thirteen functions share most of them. */
function problemResponses(endpoints: readonly Endpoint[]): Part {
  const all = endpoints
    .flatMap(({ routes }) => Object.values(routes))
    .flatMap((route) => [...problemsOf(route)])
    .map(([status, codes]) => [problemName(status, codes), problemResponse(status, codes)] as const)
  return Object.fromEntries(all.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function security(route: Route): Part {
  return route.access === 'anyone' ? { security: [] } : { security: [{ accessToken: [] }] }
}

function operation(name: string, key: string, route: Route): Part {
  const given = [...parameters(route.params, 'path'), ...parameters(route.query, 'query')]
  const keyed = route.idempotent === true ? [IDEMPOTENCY_KEY] : []
  const all = [...given, ...keyed]
  return {
    operationId: operationId(key),
    tags: [TAG_OF.get(name) ?? 'accounts'],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...security(route),
    ...(all.length === 0 ? {} : { parameters: all }),
    ...requestBody(route),
    responses: Object.fromEntries([...replies(route), ...problems(route)]),
  }
}

function paths(endpoints: readonly Endpoint[]): Part {
  const operations = endpoints.flatMap((endpoint) =>
    Object.entries(endpoint.routes).map(([key, route]) => {
      const [method = '', path = ''] = key.split(' ')
      return { path, method: method.toLowerCase(), operation: operation(endpoint.name, key, route) }
    }),
  )
  const byPath = Map.groupBy(operations, ({ path }) => path)
  return Object.fromEntries(
    [...byPath]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, found]) => [
        path,
        Object.fromEntries(found.map((one) => [one.method, one.operation])),
      ]),
  )
}

/** The description as a JSON value; the same endpoints always give the same text. */
export function openApi(endpoints: readonly Endpoint[], version: string): Part {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Wowmedia',
      version,
      summary: 'Sign-up, sign-in and photo upload for mobile apps.',
      description:
        'Every error is application/problem+json with a stable `code`. What an app does: one refresh on `token_expired` or `token_invalid`, a new sign-in where `sign_in_again` is true, and it keeps its tokens on every other error.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:8080', description: 'npm start' }],
    tags: TAGS,
    paths: paths(endpoints),
    components: {
      securitySchemes: {
        accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'at+jwt' },
      },
      parameters: {
        IdempotencyKey: {
          name: 'Idempotency-Key',
          in: 'header',
          required: false,
          description:
            'The same key and the same content give the same answer, even after a crash.',
          schema: { type: 'string', pattern: '^"?[A-Za-z0-9_-]{1,64}"?$' },
        },
      },
      headers: HEADERS,
      responses: problemResponses(endpoints),
      schemas: { Problem: problemSchema(PROBLEM_CODES) },
    },
  }
}
