/** The served API description as a judge: whether an answer is one that it promises. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

export type Members = Readonly<Record<string, unknown>>

export type Observed = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export type Operation = {
  /** `GET /photos/{id}` */
  readonly key: string
  readonly method: string
  readonly path: string
  readonly spec: Members
}

export type Description = {
  readonly document: Members
  readonly operations: readonly Operation[]
  /** What of the answer is not described, in words; empty where all is. */
  complaints(key: string, answer: Observed): readonly string[]
  /** The complaints about a value, e.g. an example, by the schema at a JSON pointer of the document. */
  valueComplaints(pointer: string, value: unknown): readonly string[]
  /** What stands where a `$ref` points to, else the value itself. */
  resolve(value: unknown): Members
}

const METHODS = ['get', 'post', 'put', 'delete', 'patch', 'head', 'options']
/** What any HTTP answer has, besides those that say something about ours. */
const EVERY_ANSWER = new Set([
  'cache-control',
  'connection',
  'content-length',
  'content-security-policy',
  'content-type',
  'date',
  'keep-alive',
  'referrer-policy',
  'transfer-encoding',
  'vary',
  'x-content-type-options',
])

export function members(value: unknown): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {}
}

export function pointerOf(...parts: readonly string[]): string {
  const escaped = parts.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
  return `#/${escaped.map(encodeURIComponent).join('/')}`
}

function operationsOf(document: Members): readonly Operation[] {
  return Object.entries(members(document['paths'])).flatMap(([path, item]) =>
    Object.entries(members(item))
      .filter(([method]) => METHODS.includes(method))
      .map(([method, spec]) => {
        const key = `${method.toUpperCase()} ${path}`
        return { key, method: method.toUpperCase(), path, spec: members(spec) }
      }),
  )
}

class Judge implements Description {
  readonly document: Members
  readonly operations: readonly Operation[]
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true })
  readonly #compiled = new Map<string, ValidateFunction>()

  constructor(document: Members) {
    this.document = document
    this.operations = operationsOf(document)
    formats.default(this.#ajv)
    this.#ajv.addSchema(document, 'api')
  }

  resolve(value: unknown): Members {
    const ref = members(value)['$ref']
    if (typeof ref !== 'string') return members(value)
    const found = ref
      .slice(2)
      .split('/')
      .reduce<unknown>((at, part) => members(at)[decodeURIComponent(part)], this.document)
    if (found === undefined) throw new RangeError(`${ref} points to nothing`)
    return members(found)
  }

  valueComplaints(pointer: string, value: unknown): readonly string[] {
    const validate = this.#compiled.get(pointer) ?? this.#ajv.compile({ $ref: `api${pointer}` })
    this.#compiled.set(pointer, validate)
    if (validate(value)) return []
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${instancePath || 'the body'} ${message} ${JSON.stringify(params)}`,
    )
  }

  complaints(key: string, answer: Observed): readonly string[] {
    const operation = this.operations.find((candidate) => candidate.key === key)
    if (operation === undefined) return [`${key} is not described`]
    const responses = members(operation.spec['responses'])
    const named = members(responses[String(answer.status)])
    if (responses[String(answer.status)] === undefined) {
      return [`${key} answers ${answer.status}, which is not described: ${answer.text}`]
    }
    const at =
      typeof named['$ref'] === 'string'
        ? named['$ref']
        : pointerOf(
            'paths',
            operation.path,
            operation.method.toLowerCase(),
            'responses',
            String(answer.status),
          )
    const response = this.resolve(named)
    const found = [...this.#ofHeaders(response, answer), ...this.#ofBody(response, at, answer)]
    return found.map((line) => `${key} ${answer.status}: ${line}`)
  }

  #ofHeaders(response: Members, { headers }: Observed): readonly string[] {
    const described = new Map(
      Object.entries(members(response['headers'])).map(([name, header]) => [
        name.toLowerCase(),
        this.resolve(header),
      ]),
    )
    const missing = [...described]
      .filter(([name, header]) => header['required'] === true && !headers.has(name))
      .map(([name]) => `the header ${name} is missing`)
    const extra = [...headers.keys()]
      .filter((name) => !described.has(name) && !EVERY_ANSWER.has(name))
      .map((name) => `the header ${name} is not described`)
    const wrong = [...described].flatMap(([name, header]) =>
      headerProblems(name, members(header['schema']), headers.get(name)),
    )
    return [...missing, ...extra, ...wrong]
  }

  #ofBody(response: Members, at: string, answer: Observed): readonly string[] {
    const content = members(response['content'])
    const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? ''
    if (Object.keys(content).length === 0) {
      return answer.text === '' ? [] : [`a body of ${type} is not described`]
    }
    if (content[type] === undefined) return [`the type ${type} is not described`]
    if (!/json$/.test(type)) return []
    const media = type.replaceAll('/', '~1').replaceAll('+', '%2B')
    return this.valueComplaints(`${at}/content/${media}/schema`, JSON.parse(answer.text))
  }
}

function headerProblems(name: string, schema: Members, value: string | null): readonly string[] {
  if (value === null) return []
  const { type, pattern, enum: words } = schema
  if (type === 'integer' && !/^\d+$/.test(value)) return [`${name}: ${value} is no integer`]
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(value)) {
    return [`${name}: ${value} does not match ${pattern}`]
  }
  if (Array.isArray(words) && !words.includes(value))
    return [`${name}: ${value} is none of ${words}`]
  return []
}

/** The description that a running Wowmedia serves. */
export async function servedDescription(baseUrl: string): Promise<Description> {
  const response = await fetch(`${baseUrl}/openapi.json`)
  return new Judge(members(await response.json()))
}
