import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { Script } from 'node:vm'
import { expect, test } from 'vitest'
import { markEager, openEager } from '../../infra/bundle/eager-modules.ts'
import { firestoreCodec } from '../../infra/bundle/firestore-codec.ts'
import { lazyRequires } from '../../infra/bundle/lazy-requires.ts'
import { REPLACEMENTS } from '../../infra/bundle/replacements.ts'
import { unreadVersions } from '../../infra/bundle/trim-plugin.ts'

type Loader = {
  readonly fromJSON: (descriptor: unknown, options: object) => Readonly<Record<string, unknown>>
}

function isLoader(value: unknown): value is Loader {
  return typeof value === 'object' && value !== null && 'fromJSON' in value
}

/** The SDK's own loader, which bundles leave out. */
function fromJSON(descriptor: unknown, options: object): Readonly<Record<string, unknown>> {
  const loaded: unknown = createRequire(import.meta.url)('@grpc/proto-loader')
  if (!isLoader(loaded)) throw new TypeError('no loader')
  return loaded.fromJSON(descriptor, options)
}

const MODULES = resolve('node_modules')
const DESCRIPTOR = `${MODULES}/@google-cloud/firestore-api/build/protos/protos.json`

type Method = {
  readonly path: string
  readonly requestStream: boolean
  readonly responseStream: boolean
  readonly requestSerialize: (value: object) => Buffer
  readonly responseSerialize?: (value: object) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => unknown
}
type Service = Readonly<Record<string, Method>>

function run(source: string): Record<string, unknown> {
  const exports: Record<string, unknown> = {}
  const wrapped = new Script(`(function (exports, require) {${source}\n})`).runInThisContext()
  wrapped(exports, createRequire(DESCRIPTOR))
  return exports
}

function isService(value: unknown): value is Service {
  return typeof value === 'object' && value !== null && 'Commit' in value
}

async function bothServices() {
  const descriptor = JSON.parse(await readFile(DESCRIPTOR, 'utf8'))
  const options = { keepCase: false, longs: String, enums: String, defaults: true, oneofs: true }
  const original = fromJSON(descriptor, options)['google.firestore.v1.Firestore']
  const { service } = run(firestoreCodec(descriptor))
  if (!isService(service) || !isService(original)) throw new TypeError('no service')
  return { service, original }
}

const VALUES = {
  nothing: { nullValue: 'NULL_VALUE' },
  yes: { booleanValue: true },
  whole: { integerValue: '9007199254740993' },
  negative: { integerValue: -5 },
  half: { doubleValue: 0.5 },
  time: { timestampValue: { seconds: 1_700_000_000, nanos: 5 } },
  text: { stringValue: 'Grüße 📷' },
  bytes: { bytesValue: Buffer.from([0, 255, 7]) },
  place: { geoPointValue: { latitude: 1, longitude: -2 } },
  list: { arrayValue: { values: [{ integerValue: 1 }, { stringValue: '' }] } },
  map: { mapValue: { fields: { inner: { booleanValue: false } } } },
}
const NAME = 'projects/p/databases/(default)/documents/a/b'

const REQUESTS = [
  ['BatchGetDocuments', { database: 'd', documents: [NAME], newTransaction: { readWrite: {} } }],
  [
    'Commit',
    {
      database: 'd',
      writes: [
        {
          update: { name: NAME, fields: VALUES },
          updateMask: { fieldPaths: ['a', 'b.c'] },
          currentDocument: { exists: false },
        },
        { delete: NAME, currentDocument: { updateTime: { seconds: 3 } } },
        {
          update: { name: NAME },
          updateTransforms: [{ fieldPath: 'n', increment: { integerValue: 1 } }],
        },
      ],
      transaction: Buffer.from('t'),
    },
  ],
  [
    'RunQuery',
    {
      parent: 'x',
      structuredQuery: {
        from: [{ collectionId: 'photos' }],
        where: { fieldFilter: { field: { fieldPath: 'f' }, op: 'EQUAL', value: VALUES.text } },
        orderBy: [{ field: { fieldPath: 'f' }, direction: 'DESCENDING' }],
        startAt: { values: [VALUES.time], before: true },
        limit: { value: 10 },
      },
    },
  ],
  ['BeginTransaction', { database: 'd', options: { readOnly: {} } }],
  ['Rollback', { database: 'd', transaction: 'dA==' }],
] as const

test.for(REQUESTS)('a request %s is written as the SDK writes it', async ([name, request]) => {
  const { service, original } = await bothServices()

  const written = service[name]?.requestSerialize(request)

  expect(written).toEqual(original[name]?.requestSerialize(request))
  expect(written?.length).toBeGreaterThan(3)
})

const RESPONSES = [
  [
    'BatchGetDocuments',
    {
      found: { name: NAME, fields: VALUES, updateTime: { seconds: 9 } },
      readTime: { seconds: 8, nanos: 1 },
    },
  ],
  ['BatchGetDocuments', { missing: NAME, transaction: Buffer.from('t') }],
  ['Commit', { writeResults: [{ updateTime: { seconds: 1 } }, {}], commitTime: { seconds: 2 } }],
  ['RunAggregationQuery', { result: { aggregateFields: { count: { integerValue: 3 } } } }],
  ['BatchWrite', { writeResults: [{}], status: [{ code: 5, message: 'gone' }] }],
] as const

test.for(RESPONSES)('a response %s is read as the SDK reads it', async ([name, response]) => {
  const { service, original } = await bothServices()
  const whole = fromJSON(JSON.parse(await readFile(DESCRIPTOR, 'utf8')), {})
  const definition = whole['google.firestore.v1.Firestore']
  if (!isService(definition)) throw new TypeError('no service')
  const bytes = definition[name]?.responseSerialize?.(response) ?? Buffer.alloc(0)

  const read = service[name]?.responseDeserialize(bytes)

  expect(bytes.length).toBeGreaterThan(0)
  expect(read).toEqual(original[name]?.responseDeserialize(bytes))
})

test('methods keep their paths and streams', async () => {
  const { service, original } = await bothServices()

  const kept = Object.entries(service).map(([name, { path, requestStream, responseStream }]) => [
    name,
    { path, requestStream, responseStream },
  ])

  expect(kept.length).toBeGreaterThanOrEqual(8)
  for (const [name, method] of kept) expect(original[String(name)]).toMatchObject(Object(method))
})

test('every module that is replaced is there, so an upgrade that moves one is noticed', () => {
  const absent = Object.keys(REPLACEMENTS).filter((path) => !existsSync(`${MODULES}/${path}`))

  expect(absent).toEqual([])
})

test('the installed SDKs are those that the replacements were read against', async () => {
  const lines = await unreadVersions(MODULES)

  expect(lines).toEqual([])
})

test('a dependency loads when it is used, once, and not before', () => {
  const source = [
    'var __importStar = (module) => ({ ...module, star: true });',
    'const a_1 = require("a");',
    'const b_1 = __importStar(require("b"));',
    'exports.shown = require("c");',
    'exports.use = () => [a_1.name, a_1.name, b_1.star];',
  ].join('\n')
  const loaded: string[] = []
  const exports: Record<string, unknown> = {}
  const load = (name: string) => {
    loaded.push(name)
    return { name }
  }

  new Script(`(function (exports, require) {${lazyRequires(source)}\n})`).runInThisContext()(
    exports,
    load,
  )
  const before = [...loaded]
  const used = typeof exports['use'] === 'function' ? exports['use']() : undefined

  expect(before).toEqual([])
  expect(used).toEqual(['a', 'a', true])
  expect(loaded).toEqual(['a', 'b'])
  expect(exports['shown']).toEqual({ name: 'c' })
})

const BUNDLE = `"use strict";
var __commonJS = (cb, mod) => () => mod;
var require_hot = __commonJS({
  "node_modules/@grpc/grpc-js/build/src/hot.js"(exports, module) {
    module.exports = 1;
  }
});
var require_cold = __commonJS({
  "node_modules/node-fetch/src/cold.js"() {
  }
});
`

test('what a first call runs is put in parentheses, the rest stays as it was', () => {
  const marked = markEager(BUNDLE)

  const opened = openEager(
    marked.replaceAll(/, function/g, ',function').replaceAll('}, "@', '},"@'),
  )

  expect(opened).toContain('__eager(null,(function(exports, module) {')
  expect(opened).toContain('"node_modules/node-fetch/src/cold.js"() {')
})

test('a mark that minification left over ends the build', () => {
  expect(() => openEager('x("@eager(@", 1)')).toThrow('not marked')
})
