/** What bundles leave out of how the SDKs reach Google: gax, gRPC, credentials and fetch. */
import { missing, type Replacement } from './replacement.ts'

export const GAX: Readonly<Record<string, Replacement>> = {
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

export const GRPC: Readonly<Record<string, Replacement>> = {
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

export const AUTH: Readonly<Record<string, Replacement>> = {
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

export const FETCH: Readonly<Record<string, Replacement>> = {
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
