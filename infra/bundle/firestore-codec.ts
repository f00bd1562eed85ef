/**
 * Source of a module with the marshalling of Firestore's methods, made at build time by protobufjs' own
 * code generator from the SDK's descriptor.
 *
 * The SDK builds the same functions at each start: it hashes 280 kB of JSON, resolves a thousand types,
 * most of them the admin API's, encodes a descriptor of each for server reflection, and compiles with
 * `Function`. That took a third of a cold start.
 */
import protobuf from 'protobufjs'

const SERVICE = 'google.firestore.v1.Firestore'

/** What the stores call: no streams of changes, no pipelines, no single-document calls, which the SDK never makes. */
const METHODS = [
  'BatchGetDocuments',
  'BatchWrite',
  'BeginTransaction',
  'Commit',
  'ListCollectionIds',
  'ListDocuments',
  'PartitionQuery',
  'Rollback',
  'RunAggregationQuery',
  'RunQuery',
]

/** The conversion that google-gax asks of @grpc/proto-loader. */
const CONVERSION = '{ longs: String, enums: String, defaults: true, oneofs: true }'

/** What is done with a type: requests are written, responses read, and what both hold is both. */
type Use = 'write' | 'read'
type Known = {
  readonly names: Map<string, string>
  readonly uses: Map<protobuf.Type | protobuf.Enum, Set<Use>>
}

function nameOf(known: Known, reflected: protobuf.Type | protobuf.Enum): string {
  const name = known.names.get(reflected.fullName) ?? `t${known.names.size}`
  known.names.set(reflected.fullName, name)
  return name
}

/** Notes a use of the type and of all that it holds. */
function mark(known: Known, reflected: protobuf.Type | protobuf.Enum, use: Use): void {
  const uses = known.uses.get(reflected) ?? new Set()
  if (uses.has(use)) return
  known.uses.set(reflected, uses.add(use))
  if (reflected instanceof protobuf.Enum) return
  for (const field of reflected.fieldsArray) {
    const { resolvedType } = field.resolve()
    if (resolvedType !== null) mark(known, resolvedType, use)
  }
}

function enumSource(reflected: protobuf.Enum): string {
  const byId = JSON.stringify(reflected.valuesById)
  return `{ values: Object.assign(Object.create(${byId}), ${JSON.stringify(reflected.values)}) }`
}

function oneofSource(type: protobuf.Type): string {
  return type.oneofsArray
    .map((oneof) => {
      const names = JSON.stringify(oneof.fieldsArray.map((field) => field.name))
      const accessors = `{ get: util.oneOfGetter(${names}), set: util.oneOfSetter(${names}) }`
      return `Object.defineProperty(C.prototype, ${JSON.stringify(oneof.name)}, ${accessors});`
    })
    .join('\n')
}

function constructorSource(type: protobuf.Type): string {
  const initial = type.fieldsArray.flatMap((field) => {
    const member = `this[${JSON.stringify(field.name)}]`
    if (field.map) return [`${member} = {};`]
    return field.repeated ? [`${member} = [];`] : []
  })
  return `class C { constructor() { ${initial.join(' ')} } }`
}

function functionsSource(type: protobuf.Type, uses: ReadonlySet<Use>): string {
  const writing = `encode: ${protobuf.encoder(type)},
fromObject: ${protobuf.converter.fromObject(type)},`
  const reading = `decode: ${protobuf.decoder(type)},
toObject: ${protobuf.converter.toObject(type)},`
  return `${uses.has('write') ? writing : ''}${uses.has('read') ? reading : ''}`
}

/** A function that makes the marshalling of one type when that is first asked for. */
function typeSource(known: Known, type: protobuf.Type, uses: ReadonlySet<Use>): string {
  const types = type.fieldsArray.map(({ resolvedType }) => {
    if (resolvedType === null) return 'null'
    const name = nameOf(known, resolvedType)
    return resolvedType instanceof protobuf.Enum ? name : `${name}()`
  })
  const list = types.every((entry) => entry === 'null') ? [] : types
  return `lazy(() => {
${constructorSource(type)}
${oneofSource(type)}
const types = [];
return [{ ctor: C, ${functionsSource(type, uses)} }, () => types.push(${list.join(', ')})];
})`
}

function methodSource(known: Known, method: protobuf.Method): string {
  method.resolve()
  const { resolvedRequestType: request, resolvedResponseType: response } = method
  if (request === null || response === null) throw new TypeError(`${method.name} has no types`)
  mark(known, request, 'write')
  mark(known, response, 'read')
  return `${JSON.stringify(method.name)}: {
path: ${JSON.stringify(`/${SERVICE}/${method.name}`)},
requestStream: ${method.requestStream === true}, responseStream: ${method.responseStream === true},
originalName: ${JSON.stringify(method.name.charAt(0).toLowerCase() + method.name.slice(1))},
requestSerialize: write(() => ${nameOf(known, request)}()),
responseDeserialize: read(() => ${nameOf(known, response)}()),
}`
}

const PREAMBLE = `'use strict';
const { Reader, Writer, util } = require('protobufjs/minimal');
const lazy = (make) => {
  let codec;
  return () => {
    if (codec === undefined) {
      const [made, link] = make();
      codec = made;
      link();
    }
    return codec;
  };
};
const options = ${CONVERSION};
const read = (codec) => (bytes) => codec().toObject(codec().decode(bytes), options);
const write = (codec) => (value) => {
  if (Array.isArray(value)) throw new Error('Failed to serialize message: got an array');
  return codec().encode(codec().fromObject(value)).finish();
};
`

/**
 * CommonJS source that exports `{ service }`: the client's part of the definition of
 * `google.firestore.v1.Firestore` as @grpc/grpc-js takes it. Needs `protobufjs/minimal` beside it.
 */
export function firestoreCodec(descriptor: protobuf.INamespace): string {
  const root = protobuf.Root.fromJSON(descriptor)
  root.resolveAll()
  const known: Known = { names: new Map(), uses: new Map() }
  const methods = root
    .lookupService(SERVICE)
    .methodsArray.filter(({ name }) => METHODS.includes(name))
    .map((method) => methodSource(known, method))
  const declarations = [...known.uses].map(([reflected, uses]) => {
    const source =
      reflected instanceof protobuf.Enum
        ? enumSource(reflected)
        : typeSource(known, reflected, uses)
    return `const ${nameOf(known, reflected)} = ${source};`
  })
  return `${PREAMBLE}${declarations.join('\n')}
exports.service = { ${methods.join(',\n')} };
`
}
