/**
 * Google's APIs as far as one release calls them, on the loopback, for the real gcloud: plain HTTP through a
 * proxy, so no name is looked up, and whatever has no override here is refused.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'

const PROJECT = 'demo-project'
const NUMBER = '123456789012'
const SOURCES = `run-sources-${PROJECT}-europe-west1`
const BUILD = `projects/${PROJECT}/locations/europe-west1/builds/b1`
const TYPES = 'type.googleapis.com/google.devtools.cloudbuild.v1'

type Fields = { readonly [name: string]: unknown }
export type Call = { readonly method: string; readonly path: string; readonly body: unknown }
type Answer = readonly [number, unknown]

export type StandIn = {
  /** What gcloud needs in its environment. */
  readonly environment: Readonly<Record<string, string>>
  readonly calls: readonly Call[]
  /** Services as Cloud Run would describe them, by name. */
  readonly services: ReadonlyMap<string, Fields>
  close(): Promise<void>
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function at(value: unknown, ...names: readonly string[]): unknown {
  return names.reduce<unknown>((inner, name) => (isRecord(inner) ? inner[name] : undefined), value)
}

const NOT_FOUND: Answer = [404, { error: { code: 404, message: 'not found', status: 'NOT_FOUND' } }]

/** The service as asked for, ready at once; every revision answers at the one address. */
function described(service: Fields, url: string): Fields {
  const newest = String(at(service, 'spec', 'template', 'metadata', 'name'))
  const asked = at(service, 'spec', 'traffic')
  const traffic = (Array.isArray(asked) ? asked : []).filter(isRecord).map((entry) => ({
    ...entry,
    revisionName: entry['revisionName'] ?? newest,
    ...(entry['tag'] === undefined ? {} : { url }),
  }))
  const conditions = ['Ready', 'ConfigurationsReady', 'RoutesReady'].map((type) => ({
    type,
    status: 'True',
  }))
  const status = {
    observedGeneration: 1,
    url,
    address: { url },
    latestCreatedRevisionName: newest,
    latestReadyRevisionName: newest,
    traffic,
    conditions,
  }
  const metadata = { ...Object(service['metadata']), generation: 1, namespace: NUMBER }
  return { ...service, metadata, status }
}

/** The uploaded archive within a multipart/related body: what gcloud compares is its size and digest. */
function uploaded(headers: IncomingMessage['headers'], body: Buffer): Answer {
  const boundary = /boundary=["']?([^"';]+)/.exec(headers['content-type'] ?? '')?.[1] ?? ''
  const part = body.toString('latin1').split(`--${boundary}`)[2] ?? ''
  const start = /\r?\n\r?\n/.exec(part)
  const archive = part.slice((start?.index ?? 0) + (start?.[0].length ?? 0)).replace(/\r?\n$/, '')
  const bytes = Buffer.from(archive, 'latin1')
  const md5Hash = createHash('md5').update(bytes).digest('base64')
  return [200, { name: 'x', bucket: SOURCES, generation: '1', size: String(bytes.length), md5Hash }]
}

const BUILT = {
  name: `operations/build/${PROJECT}/b1`,
  done: true,
  metadata: {
    '@type': `${TYPES}.BuildOperationMetadata`,
    build: { id: 'b1', name: BUILD, status: 'SUCCESS' },
  },
  response: {
    '@type': `${TYPES}.Build`,
    id: 'b1',
    name: BUILD,
    status: 'SUCCESS',
    results: { images: [{ name: 'image', digest: 'sha256:abc' }] },
  },
}
const SUBMITTED = {
  buildOperation: {
    name: `operations/build/${PROJECT}/b1`,
    metadata: {
      '@type': `${TYPES}.BuildOperationMetadata`,
      build: { id: 'b1', name: BUILD, projectId: PROJECT, logUrl: 'http://log.test' },
    },
  },
  baseImageUri: 'nodejs24-image',
}

function aside(host: string, path: string): Answer | undefined {
  if (host === 'serviceusage.test') return [200, { name: path, state: 'ENABLED' }]
  if (host === 'cloudresourcemanager.test') {
    return [200, { projectId: PROJECT, projectNumber: NUMBER, lifecycleState: 'ACTIVE' }]
  }
  if (host === 'artifactregistry.test') return [200, { name: path, format: 'DOCKER' }]
  if (host === 'iam.test') return [200, { name: path }]
  if (host === 'cloudbuild.test') return [200, BUILT]
  if (host === 'storage.test') {
    const bucket = { id: SOURCES, name: SOURCES, projectNumber: NUMBER }
    return [200, path.endsWith('/b') ? { items: [bucket] } : bucket]
  }
  return undefined
}

function fixedAnswer(path: string, body: unknown): Answer | undefined {
  if (path.endsWith('builds:submit')) return [200, SUBMITTED]
  if (path.endsWith(':testIamPermissions')) return [200, { permissions: [] }]
  if (/:[gs]etIamPolicy$/.test(path)) return [200, at(body, 'policy') ?? { etag: 'e' }]
  return undefined
}

/** @param url where the function that is deployed really runs */
export async function startStandIn(url: string, existing: readonly Fields[]): Promise<StandIn> {
  const calls: Call[] = []
  const nameOf = (service: Fields) => String(at(service, 'metadata', 'name'))
  const services = new Map(existing.map((service) => [nameOf(service), described(service, url)]))

  const change = (body: unknown): Answer => {
    if (!isRecord(body)) return NOT_FOUND
    const service = described(body, url)
    services.set(nameOf(body), service)
    return [200, service]
  }
  const run = (method: string, path: string, body: unknown): Answer => {
    const fixed = fixedAnswer(path, body)
    if (fixed !== undefined) return fixed
    if (method !== 'GET') return change(body)
    const found = services.get(path.split('/').at(-1) ?? '')
    return found === undefined ? NOT_FOUND : [200, found]
  }
  const answer = (request: IncomingMessage, bytes: Buffer): Answer => {
    const { host, pathname } = new URL(request.url ?? '', 'http://none.test')
    const archive = host === 'storage.test' && bytes.length > 0
    const body: unknown = archive || bytes.length === 0 ? undefined : JSON.parse(bytes.toString())
    const method = request.method ?? ''
    calls.push({ method, path: `${host}${pathname}`, body })
    if (archive) return uploaded(request.headers, bytes)
    return aside(host, pathname) ?? run(method, pathname, body)
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const [status, value] = answer(request, Buffer.concat(chunks))
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(value))
    })
  })
  server.on('connect', (_request, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  return { environment: environmentOf(address.port), calls, services, close: () => close(server) }
}

async function close(server: ReturnType<typeof createServer>): Promise<void> {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}

const APIS = [
  'run',
  'cloudbuild',
  'artifactregistry',
  'serviceusage',
  'cloudresourcemanager',
  'iam',
]

function environmentOf(port: number): Record<string, string> {
  const overrides = APIS.map((api) => [
    `CLOUDSDK_API_ENDPOINT_OVERRIDES_${api.toUpperCase()}`,
    `http://${api}.test/`,
  ])
  return {
    ...Object.fromEntries(overrides),
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: 'http://storage.test/storage/v1/',
    CLOUDSDK_AUTH_ACCESS_TOKEN: 'fake',
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_PROXY_TYPE: 'http',
    CLOUDSDK_PROXY_ADDRESS: '127.0.0.1',
    CLOUDSDK_PROXY_PORT: String(port),
  }
}
