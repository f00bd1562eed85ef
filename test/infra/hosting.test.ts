import { readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import { beforeAll, expect, test } from 'vitest'
import { readEndpoints } from '../../infra/endpoints.ts'
import { FUNCTIONS } from '../../infra/manifest.ts'
import { routeProblems } from '../../infra/manifest-rules.ts'
import { firebaseConfig, rewrites, routedRegion } from '../../infra/release/hosting.ts'
import type { Endpoint } from '../../shared/http/endpoint.ts'

let endpoints: readonly Endpoint[] = []
beforeAll(async () => {
  endpoints = await readEndpoints()
})

/** The parts of firebase-tools' own schema (schema/firebase-config.json, 15.34.2) that are used here. */
const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    firestore: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['database'],
        properties: {
          database: { type: 'string' },
          rules: { type: 'string' },
          indexes: { type: 'string' },
        },
      },
    },
    storage: {
      type: 'object',
      additionalProperties: false,
      required: ['rules'],
      properties: { rules: { type: 'string' } },
    },
    hosting: {
      type: 'object',
      additionalProperties: false,
      properties: {
        public: { type: 'string' },
        ignore: { type: 'array', items: { type: 'string' } },
        rewrites: {
          type: 'array',
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['source', 'run'],
            properties: {
              source: { type: 'string' },
              run: {
                type: 'object',
                additionalProperties: false,
                required: ['serviceId'],
                properties: {
                  serviceId: { type: 'string' },
                  region: { type: 'string' },
                  pinTag: { type: 'boolean' },
                },
              },
            },
          },
        },
      },
    },
  },
}

const validate = new Ajv({ strict: true }).compile(SCHEMA)
const PLACE = { region: 'europe-west1', database: 'wowmedia' }

test('firebase.json has the form that the Firebase CLI takes', async () => {
  const committed: unknown = JSON.parse(await readFile('firebase.json', 'utf8'))

  expect(validate(committed), JSON.stringify(validate.errors)).toBe(true)
})

test.for([
  {
    name: 'a key that Cloud Run rewrites do not have',
    rewrite: { source: '/', run: { serviceId: 'a', path: '/' } },
  },
  { name: 'a rewrite without a service', rewrite: { source: '/', run: { region: 'x' } } },
  { name: 'a rewrite without a path', rewrite: { run: { serviceId: 'a' } } },
])('the schema refuses $name', ({ rewrite }) => {
  expect(validate({ hosting: { public: 'x', rewrites: [rewrite] } })).toBe(false)
})

/** A glob of Hosting: `*` is one part of a path. */
function matches(source: string, path: string): boolean {
  const pattern = source.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]+')
  return new RegExp(`^${pattern}$`).test(path)
}

test('every path of every public function leads to that function, and to no other first', () => {
  const rules = rewrites(FUNCTIONS, endpoints, 'europe-west1')
  const paths = endpoints
    .filter(({ name }) => name !== 'sweep')
    .flatMap(({ name, routes }) =>
      Object.keys(routes).map((key) => ({
        name,
        path: key.slice(key.indexOf(' ') + 1).replace(/\{[^}]+\}/g, 'a1b2'),
      })),
    )

  const owners = paths.map(
    ({ path }) => rules.find(({ source }) => matches(source, path))?.run.serviceId,
  )

  expect(owners).toEqual(paths.map(({ name }) => name))
  expect(paths.length).toBeGreaterThan(20)
})

test('the sweep has no way in from outside', () => {
  const services = rewrites(FUNCTIONS, endpoints, 'europe-west1').map(({ run }) => run.serviceId)

  expect(services).not.toContain('sweep')
  expect(new Set(services).size).toBe(FUNCTIONS.length - 1)
})

test('no file can come before a function', async () => {
  const { readdir } = await import('node:fs/promises')
  const config = JSON.parse(firebaseConfig(FUNCTIONS, endpoints, PLACE))

  expect(await readdir(config.hosting.public)).toEqual(['.gitkeep'])
  expect(config.hosting.ignore).toEqual(['**/.*'])
})

test('the region that Hosting routes to is read back', () => {
  expect(routedRegion(firebaseConfig(FUNCTIONS, endpoints, { ...PLACE, region: 'us-east1' }))).toBe(
    'us-east1',
  )
  expect(routedRegion('')).toBeUndefined()
  expect(routedRegion('{}')).toBeUndefined()
})

test('every function has an endpoint, and every path one owner', () => {
  expect(routeProblems(FUNCTIONS, endpoints)).toEqual([])
})

test('a path with two owners, a function without endpoint and a stranger are named', () => {
  const [first] = endpoints
  if (first === undefined) throw new TypeError('no endpoint')
  const stolen = { name: 'stranger', routes: first.routes }

  const problems = routeProblems(FUNCTIONS, [...endpoints.slice(1), first, stolen].slice(1))

  expect(problems).toContain('jwks has no endpoint')
  expect(problems).toContain('stranger is not in the manifest')
  expect(problems.join()).toContain('belongs to welcome and to stranger')
})
