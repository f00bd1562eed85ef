/**
 * What bundles leave out of the SDKs, module by module, and what stands in its place.
 *
 * Each entry was read against exactly these versions; the build refuses others, so that an upgrade makes
 * somebody look here again. What is missing fails loudly where it is called. The acceptance walk runs on
 * the trimmed bundles.
 */

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

export type Replacement = {
  readonly why: string
  /** CommonJS source; relative paths resolve beside the replaced module. */
  readonly source: string
}

const missing = (what: string, ...names: readonly string[]) =>
  names
    .map(
      (name) =>
        `exports.${name} = class ${name} { constructor() { throw new Error('${what}: left out of this bundle (infra/bundle/replacements.ts)') } };`,
    )
    .join('\n')

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

const GAX: Readonly<Record<string, Replacement>> = {
  'google-gax/build/src/index.js': {
    why: 'the REST transport, operations, IAM, locations, uploads and 2 MB of their messages',
    source: `
const { GrpcClient } = require('./grpc');
const { PageDescriptor } = require('./paginationCalls/pageDescriptor');
const { StreamDescriptor } = require('./streamingCalls/streamDescriptor');
const { StreamType } = require('./streamingCalls/streaming');
const { RetryOptions, constructSettings, createDefaultBackoffSettings } = require('./gax');
module.exports = {
  grpc: require('@grpc/grpc-js'), GrpcClient, PageDescriptor, StreamDescriptor, StreamType,
  RetryOptions, constructSettings, createDefaultBackoffSettings,
  createApiCall: require('./createApiCall').createApiCall,
  GoogleError: require('./googleError').GoogleError,
  Status: require('./status').Status,
  warn: require('./warnings').warn,
  routingHeader: require('./routingHeader'),
  loggingUtils: require('google-logging-utils'),
  version: require('../../package.json').version,
  LocationsClient: class LocationsClient { close() { return Promise.resolve(); } },
};`,
  },
  'google-gax/build/src/fallback.js': {
    why: 'the REST transport; the SDK takes retry settings and errors from here',
    source: `module.exports = require('./index');`,
  },
  'google-gax/build/src/googleError.js': {
    why: 'it decodes error details with protobuf reflection; the store looks at codes',
    source: `exports.GoogleError = class GoogleError extends Error {
  static parseGRPCStatusDetails(error) { return error; }
};`,
  },
  'google-gax/build/src/observability/util.js': {
    why: 'no tracing',
    source: `exports.checkTracingEnabled = () => false; exports.checkLoggingEnabled = () => false;`,
  },
  'google-gax/build/src/observability/contextUtil.js': {
    why: 'no tracing',
    source: `exports.getSettingsDefaultDomain = () => undefined; exports.setSettingsDefaultDomain = () => {};`,
  },
  'google-gax/build/src/observability/TracerHelper.js': { why: 'no tracing', source: '' },
  'google-gax/build/src/observability/LoggerHelper.js': { why: 'no tracing', source: '' },
  '@opentelemetry/api/dist/index.cjs': { why: 'no tracing', source: '' },
  'google-logging-utils/build/src/index.js': {
    why: 'its output holds whole requests, so hashes and names; it must never be switched on here',
    source: `const quiet = () => {};
Object.assign(quiet, { debug: quiet, info: quiet, warn: quiet, error: quiet, on: quiet });
exports.log = () => quiet;`,
  },
}

const GRPC: Readonly<Record<string, Replacement>> = {
  '@grpc/grpc-js/build/src/index.js': {
    why: 'the server, its interceptors and channelz services, balancers other than the default',
    source: `
const { ChannelCredentials } = require('./channel-credentials');
const { CallCredentials } = require('./call-credentials');
const { loadPackageDefinition, makeClientConstructor } = require('./make-client');
Object.assign(exports, {
  Client: require('./client').Client, Metadata: require('./metadata').Metadata,
  status: require('./constants').Status, loadPackageDefinition, makeClientConstructor,
  credentials: {
    combineChannelCredentials: (channel, ...calls) => calls.reduce((all, one) => all.compose(one), channel),
    createInsecure: ChannelCredentials.createInsecure,
    createSsl: ChannelCredentials.createSsl,
    createFromGoogleCredential: CallCredentials.createFromGoogleCredential,
  },
});
require('./resolver-dns').setup();
require('./resolver-ip').setup();
require('./load-balancer-pick-first').setup();`,
  },
}

const EXTERNAL = 'identities from outside Google Cloud; a function has its service account'

const AUTH: Readonly<Record<string, Replacement>> = {
  'google-auth-library/build/src/auth/baseexternalclient.js': {
    why: EXTERNAL,
    source: `exports.EXTERNAL_ACCOUNT_TYPE = 'external_account';
${missing('external accounts', 'BaseExternalAccountClient')}`,
  },
  'google-auth-library/build/src/auth/externalclient.js': {
    why: EXTERNAL,
    source: `exports.ExternalAccountClient = { fromJSON() { throw new Error('external accounts are left out of this bundle') } };`,
  },
  'google-auth-library/build/src/auth/externalAccountAuthorizedUserClient.js': {
    why: EXTERNAL,
    source: `exports.EXTERNAL_ACCOUNT_AUTHORIZED_USER_TYPE = 'external_account_authorized_user';
${missing('external accounts', 'ExternalAccountAuthorizedUserClient')}`,
  },
  'google-auth-library/build/src/auth/gdchclient.js': {
    why: EXTERNAL,
    source: `exports.GDCH_SERVICE_ACCOUNT_TYPE = 'gdch_service_account';
${missing('GDC-H accounts', 'GdchClient')}`,
  },
  'google-auth-library/build/src/auth/awsclient.js': { why: EXTERNAL, source: '' },
  'google-auth-library/build/src/auth/awsrequestsigner.js': { why: EXTERNAL, source: '' },
  'google-auth-library/build/src/auth/identitypoolclient.js': { why: EXTERNAL, source: '' },
  'google-auth-library/build/src/auth/pluggable-auth-client.js': { why: EXTERNAL, source: '' },
  'google-auth-library/build/src/auth/downscopedclient.js': { why: EXTERNAL, source: '' },
  'web-streams-polyfill/dist/ponyfill.es2018.js': {
    why: 'Node has them',
    source: `throw new Error('this Node has no web streams');`,
  },
}

const NAMED = 'errors are told apart by the name of their class, and minification changes that'

const FETCH: Readonly<Record<string, Replacement>> = {
  'node-fetch/src/errors/abort-error.js': {
    why: NAMED,
    source: `import { FetchBaseError } from './base.js';
export class AbortError extends FetchBaseError {
  constructor(message, type = 'aborted') { super(message, type); }
  get name() { return 'AbortError'; }
}`,
  },
  'node-fetch/src/errors/fetch-error.js': {
    why: NAMED,
    source: `import { FetchBaseError } from './base.js';
export class FetchError extends FetchBaseError {
  constructor(message, type, cause) {
    super(message, type);
    if (cause) {
      this.code = this.errno = cause.code;
      this.erroredSysCall = cause.syscall;
    }
  }
  get name() { return 'FetchError'; }
}`,
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
