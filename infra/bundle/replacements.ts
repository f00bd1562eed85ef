/**
 * What bundles leave out of the SDKs, module by module, and what stands in its place.
 *
 * Each entry was read against exactly these versions; the build refuses others, so that an upgrade makes
 * somebody look here again. What is missing fails loudly where it is called. The acceptance walk runs on
 * the trimmed bundles.
 */

import { missing, type Replacement } from './replacement.ts'
import { AUTH, FETCH, GAX, GRPC } from './transport-replacements.ts'

export const READ_VERSIONS: Readonly<Record<string, string>> = {
  '@google-cloud/firestore': '9.4.1',
  '@google-cloud/storage': '8.4.0',
  '@grpc/grpc-js': '1.14.7',
  '@grpc/proto-loader': '0.8.1',
  '@opentelemetry/api': '1.10.0',
  'google-auth-library': '11.3.4',
  'google-gax': '6.17.0',
  'google-logging-utils': '2.2.0',
  'node-fetch': '3.3.2',
  protobufjs: '7.6.6',
}

/** Virtual module with the output of `firestoreCodec`. */
export const CODEC = 'wowmedia-firestore-codec'

const FIRESTORE: Readonly<Record<string, Replacement>> = {
  '@google-cloud/firestore-api/build/src/index.js': {
    why: 'the client of the admin API, and 1.4 MB of generated messages of both APIs',
    source: `exports.v1 = require('./v1'); exports.protos = {};`,
  },
  '@google-cloud/firestore-api/build/src/v1/index.js': {
    why: 'the client of the admin API',
    source: `exports.FirestoreClient = require('./firestore_client').FirestoreClient;`,
  },
  '@google-cloud/firestore-api/build/protos/protos.json': {
    why: 'marshalling is generated at build time (firestore-codec.ts)',
    source: 'module.exports = {};',
  },
  '@google-cloud/firestore/build/protos/firestore_v1_proto_api.js': {
    why: 'used by data bundles and pipelines only',
    source: 'exports.google = { firestore: { v1: {} } };',
  },
  '@google-cloud/firestore/build/src/pipelines/index.js': {
    why: 'pipelines need the Enterprise edition',
    source: missing(
      'pipelines',
      'Pipeline',
      'PipelineSource',
      'PipelineSnapshot',
      'PipelineResult',
    ),
  },
  '@google-cloud/firestore/build/src/pipelines/pipeline-util.js': {
    why: 'pipelines need the Enterprise edition; the serializer takes one function from here',
    source: `exports.isString = (value) => typeof value === 'string' || value instanceof String;`,
  },
  '@google-cloud/firestore/build/src/bulk-writer.js': {
    why: 'the stores write by commits',
    source: missing('bulk writer', 'BulkWriter'),
  },
  '@google-cloud/firestore/build/src/recursive-delete.js': {
    why: 'the stores delete in pages',
    source: missing('recursive delete', 'RecursiveDelete'),
  },
  '@google-cloud/firestore/build/src/bundle.js': {
    why: 'for browsers that start from a file',
    source: missing('bundles', 'BundleBuilder'),
  },
  '@google-cloud/firestore/build/src/watch.js': {
    why: 'no function outlives its answer, so none listens',
    source: missing('watch', 'DocumentWatch', 'QueryWatch'),
  },
  '@google-cloud/firestore/build/src/telemetry/enabled-trace-util.js': {
    why: 'spans are made for each call even where no tracer is registered',
    source: `exports.EnabledTraceUtil = require('./disabled-trace-util').DisabledTraceUtil;`,
  },
  '@grpc/proto-loader/build/src/index.js': {
    why: 'it builds reflection descriptors of every message at each start',
    source: `exports.fromJSON = () => ({ 'google.firestore.v1.Firestore': require('${CODEC}').service });`,
  },
  'object-hash/index.js': {
    why: 'it names a cache entry after a descriptor that is empty here',
    source: 'module.exports = (text) => String(text);',
  },
  'protobufjs/index.js': {
    why: 'reflection and the .proto parser; the codec needs protobufjs/minimal alone',
    source: missing('protobufjs', 'Root'),
  },
}

const STORAGE: Readonly<Record<string, Replacement>> = {
  '@google-cloud/storage/build/cjs/src/transfer-manager.js': {
    why: 'uploads of many files at once, and an XML parser for them',
    source: missing('transfer manager', 'TransferManager', 'MultiPartUploadError'),
  },
}

/** Module path after `node_modules/` -> what the bundle holds instead. */
export const REPLACEMENTS: Readonly<Record<string, Replacement>> = {
  ...FIRESTORE,
  ...GAX,
  ...GRPC,
  ...AUTH,
  ...STORAGE,
  ...FETCH,
}

/** Packages whose modules load their dependencies on first use (lazy-requires.ts). */
export const LAZY_PACKAGES: readonly string[] = [
  '@google-cloud/firestore',
  '@google-cloud/firestore-api',
  '@google-cloud/paginator',
  '@google-cloud/projectify',
  '@google-cloud/promisify',
  '@google-cloud/storage',
  '@grpc/grpc-js',
  'gaxios',
  'gcp-metadata',
  'google-auth-library',
  'google-gax',
  'retry-request',
  'teeny-request',
]
