/** What gcloud accepts without a word and the platform refuses later (deploy.md 6.3). */
import type { Endpoint } from '../shared/http/endpoint.ts'
import { SEATS } from '../shared/http/seats.ts'
import { type FunctionSpec, SECRETS } from './manifest.ts'

/** vCPUs of all functions at their maximum; a project's regional quota starts near here. */
export const CPU_QUOTA = 200
/** Firebase Hosting cuts a request off after this; uploads go to the function's own address. */
const HOSTING_SECONDS = 60
const TAG = 'candidate'
/** Node with the SDKs loaded, and room for the heap to grow. */
const RUNTIME_MIB = 192
const ARGON2_MIB = 19
const ARGON2_POOL = 4
/** More would only queue behind each other on one vCPU. */
const HASHES_AT_ONCE = 16
const BODY_MEMORY_KIB = 64
/** Cloud Run, HTTP/1. */
const LARGEST_BODY = 32 * 1024 * 1024

function within(value: number, minimum: number, maximum: number): boolean {
  return Number.isInteger(value) && value >= minimum && value <= maximum
}

/** SDKs, hashes at once, and the JSON bodies of all requests at once. */
function neededMib(spec: FunctionSpec): number {
  const hashing = spec.native.includes('argon2') ? ARGON2_MIB * ARGON2_POOL : 0
  return RUNTIME_MIB + hashing + Math.ceil((spec.concurrency * BODY_MEMORY_KIB) / 1024)
}

function sizeProblems(spec: FunctionSpec): readonly (string | false)[] {
  const needed = neededMib(spec)
  const largest = spec.native.length > 0 ? HASHES_AT_ONCE : SEATS
  return [
    !within(spec.concurrency, 1, largest) && `concurrency must be from 1 to ${largest}`,
    !within(spec.maxInstances, 1, 100) && 'maxInstances must be from 1 to 100',
    !within(spec.minInstances, 0, spec.maxInstances) &&
      'minInstances must not be over maxInstances',
    !within(spec.timeoutSeconds, 1, 3600) && 'timeoutSeconds must be from 1 to 3600',
    spec.memoryMib < needed && `memoryMib must be at least ${needed}`,
    spec.maxBodyBytes > LARGEST_BODY && 'maxBodyBytes is over what Cloud Run lets in',
  ]
}

function nameProblems(spec: FunctionSpec): readonly (string | false)[] {
  return [
    !/^[a-z]([-a-z0-9]{0,40}[a-z0-9])?$/.test(spec.name) && 'the name has the wrong form',
    `${TAG}---${spec.name}`.length > 46 && 'tag and name are too long together',
    `fn-${spec.name}`.length < 6 && 'the account id would be under 6 characters',
    `fn-${spec.name}`.length > 30 && 'the account id would be over 30 characters',
    new Set(spec.settings).size !== spec.settings.length && 'a setting is named twice',
    spec.settings.some((name) => Object.values(SECRETS).some((mount) => mount.setting === name)) &&
      'a mounted secret is a setting too',
  ]
}

function accessProblems(spec: FunctionSpec): readonly (string | false)[] {
  const bucketSetting = spec.settings.includes('PHOTO_BUCKET')
  return [
    spec.firestore !== spec.settings.includes('FIRESTORE_DATABASE') &&
      'firestore and FIRESTORE_DATABASE must go together',
    spec.bucket.length > 0 !== bucketSetting && 'bucket and PHOTO_BUCKET must go together',
    spec.signsUrls && !spec.bucket.includes('read') && 'a signed address needs the right to read',
    spec.secrets.includes('signingKey') && !spec.secrets.includes('jwks') && 'it signs unverified',
    new Set(spec.secrets).size !== spec.secrets.length && 'a secret is named twice',
  ]
}

function mountProblems(): readonly string[] {
  const directories = Object.values(SECRETS).map(({ path }) => path.slice(0, path.lastIndexOf('/')))
  const shared = new Set(directories).size !== directories.length
  const unpinned = Object.entries(SECRETS).filter(
    ([name, { version }]) => version === 'latest' && name !== 'jwks',
  )
  return [
    ...(shared ? ['two secrets are mounted in one directory'] : []),
    ...unpinned.map(([name]) => `the secret ${name} must be pinned to a version`),
  ]
}

/** One line for each thing that is wrong; none where the manifest can be deployed. Pure. */
export function manifestProblems(specs: readonly FunctionSpec[]): readonly string[] {
  const own = specs.flatMap((spec) =>
    [...nameProblems(spec), ...sizeProblems(spec), ...accessProblems(spec)].flatMap((problem) =>
      problem === false ? [] : [`${spec.name}: ${problem}`],
    ),
  )
  const cpus = specs.reduce((sum, spec) => sum + spec.maxInstances, 0)
  const names = new Set(specs.map(({ name }) => name))
  return [
    ...own,
    ...mountProblems(),
    ...(cpus > CPU_QUOTA
      ? [`all functions together may ask for ${cpus} of ${CPU_QUOTA} vCPUs`]
      : []),
    ...(names.size === specs.length ? [] : ['a function is named twice']),
  ]
}

/** The same for manifest and endpoints together: each function has an endpoint, each route one function. */
export function routeProblems(
  specs: readonly FunctionSpec[],
  endpoints: readonly Endpoint[],
): readonly string[] {
  const named = new Set(endpoints.map(({ name }) => name))
  const missing = specs.filter(({ name }) => !named.has(name))
  const owners = new Map<string, string>()
  const twice = endpoints.flatMap(({ name, routes }) =>
    Object.keys(routes).flatMap((key) => {
      const path = key.slice(key.indexOf(' ') + 1)
      const owner = owners.get(path)
      const shared = path === '/' && (name === 'sweep' || owner === 'sweep')
      owners.set(path, name)
      return owner === undefined || owner === name || shared
        ? []
        : [`${path} belongs to ${owner} and to ${name}`]
    }),
  )
  const extra = endpoints.filter(({ name }) => !specs.some((spec) => spec.name === name))
  return [
    ...missing.map(({ name }) => `${name} has no endpoint`),
    ...extra.map(({ name }) => `${name} is not in the manifest`),
    ...twice,
  ]
}

/** Functions whose answers can take longer than Hosting waits; callers use their own address. */
export function tooSlowForHosting(specs: readonly FunctionSpec[]): readonly string[] {
  return specs
    .filter(
      ({ public: reachable, timeoutSeconds }) => reachable && timeoutSeconds > HOSTING_SECONDS,
    )
    .map(({ name }) => name)
}
