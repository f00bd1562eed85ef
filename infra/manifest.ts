/**
 * Every deployed function once: size, settings, secrets, access. Bundles, commands, roles, rewrites, workflows and
 * monitoring are made from here; paths and methods come from each function's own `endpoint` (infra/endpoints.ts).
 */
import type { SettingName } from '../shared/settings.ts'

/** Secret Manager secrets and where each is mounted; a directory of its own each, as Cloud Run demands. */
export const SECRETS = {
  signingKey: {
    secret: 'wm-signing-key',
    setting: 'SIGNING_KEY_FILE',
    path: '/secrets/signing/key.json',
    /** The version that signs; a rotation changes it here (deploy.md 7). */
    version: '1',
  },
  tokenSecret: {
    secret: 'wm-token-secret',
    setting: 'TOKEN_SECRET_FILE',
    path: '/secrets/token/secret',
    version: '1',
  },
  jwks: {
    secret: 'wm-jwks',
    setting: 'JWKS_FILE',
    path: '/secrets/jwks/jwks.json',
    /** Followed while the process runs, so that a new key is known everywhere before it signs. */
    version: 'latest',
  },
} as const satisfies Record<
  string,
  { secret: string; setting: SettingName; path: string; version: string }
>
export type SecretName = keyof typeof SECRETS

/** What a function's account may do with objects of the bucket of photos. */
export type BucketAccess = 'create' | 'read' | 'remove'

export type FunctionSpec = {
  /** Cloud Run service, source file, bundle directory and framework target. */
  readonly name: string
  readonly memoryMib: 256 | 512
  /** Requests at once; argon2 and streams bound it (deploy.md 1.5). */
  readonly concurrency: number
  readonly maxInstances: number
  /** Kept warm in production, by the service and not by the revision. */
  readonly minInstances: number
  readonly timeoutSeconds: number
  /** Largest request body; the serve layer refuses more before it is read. */
  readonly maxBodyBytes: number
  /** Settings that the code reads, besides the mounts of `secrets`. */
  readonly settings: readonly SettingName[]
  readonly secrets: readonly SecretName[]
  readonly firestore: boolean
  readonly bucket: readonly BucketAccess[]
  /** Signs addresses through the IAM Credentials API as itself. */
  readonly signsUrls: boolean
  /** Called by anyone; otherwise by the scheduler's account alone. */
  readonly public: boolean
  /** Packages that stay beside the bundle because they are native. */
  readonly native: readonly 'argon2'[]
}

const KIBIBYTE = 1024
const MEBIBYTE = 1024 * KIBIBYTE

/** Read by the serve layer, so by each function. */
const SERVING = [
  'GOOGLE_CLOUD_PROJECT',
  'TRUSTED_PROXY_HOPS',
  'CORS_ORIGINS',
  'PUBLIC_URL',
] as const satisfies readonly SettingName[]
const STORE = [...SERVING, 'FIRESTORE_DATABASE'] as const
const TOKENS = ['TOKEN_ISSUER', 'TOKEN_AUDIENCE'] as const
/** Read by whatever verifies access tokens. */
const CALLER = [...STORE, ...TOKENS, 'TOKENS_NOT_BEFORE'] as const
const SESSIONS = ['REFRESH_TOKEN_IDLE_DAYS', 'REFRESH_TOKEN_MAX_DAYS'] as const
const SIGN_IN = [...STORE, ...TOKENS, 'ACCESS_TOKEN_SECONDS', ...SESSIONS] as const
const LOGIN_LIMITS = ['LOGIN_LIMIT_PER_ADDRESS', 'LOGIN_LIMIT_PER_ACCOUNT'] as const
const PHOTO_QUOTA = ['PHOTO_QUOTA_BYTES', 'PHOTO_QUOTA_COUNT'] as const
const ADMISSION = [...CALLER, 'PHOTO_BUCKET', 'UPLOAD_LIMIT', ...PHOTO_QUOTA] as const

const ISSUER_SECRETS = ['signingKey', 'tokenSecret', 'jwks'] as const

/** A function that verifies access tokens and reads and writes Firestore. */
const VERIFIER = {
  memoryMib: 512,
  concurrency: 40,
  maxInstances: 10,
  minInstances: 0,
  timeoutSeconds: 30,
  maxBodyBytes: 16 * KIBIBYTE,
  settings: CALLER,
  secrets: ['jwks'],
  firestore: true,
  bucket: [],
  signsUrls: false,
  public: true,
  native: [],
} as const satisfies Omit<FunctionSpec, 'name'>

const STATIC = {
  ...VERIFIER,
  memoryMib: 256,
  concurrency: 80,
  maxInstances: 5,
  timeoutSeconds: 10,
  settings: SERVING,
  secrets: [],
  firestore: false,
} as const satisfies Omit<FunctionSpec, 'name'>

const ISSUER = {
  ...VERIFIER,
  settings: SIGN_IN,
  secrets: ISSUER_SECRETS,
} as const satisfies Omit<FunctionSpec, 'name'>

export const FUNCTIONS: readonly FunctionSpec[] = [
  { ...STATIC, name: 'welcome', settings: [...SERVING, 'FUNCTION_URLS'] },
  { ...STATIC, name: 'jwks', secrets: ['jwks'] },
  {
    ...ISSUER,
    name: 'register',
    concurrency: 8,
    settings: [...SIGN_IN, 'REGISTRATION_LIMIT_PER_ADDRESS', 'PASSWORD_MIN_LENGTH'],
    native: ['argon2'],
  },
  {
    ...ISSUER,
    name: 'login',
    concurrency: 8,
    maxInstances: 30,
    minInstances: 1,
    settings: [...SIGN_IN, ...LOGIN_LIMITS],
    native: ['argon2'],
  },
  {
    ...ISSUER,
    name: 'refresh',
    maxInstances: 30,
    minInstances: 1,
    timeoutSeconds: 20,
    settings: [...SIGN_IN, 'TOKENS_NOT_BEFORE'],
  },
  { ...VERIFIER, name: 'logout-access', timeoutSeconds: 20 },
  // It compares stored hashes and reads no token.
  { ...VERIFIER, name: 'logout-refresh', timeoutSeconds: 20, settings: STORE, secrets: [] },
  { ...VERIFIER, name: 'sessions', concurrency: 20, maxInstances: 5 },
  {
    ...VERIFIER,
    name: 'users',
    concurrency: 20,
    maxInstances: 5,
    settings: [...CALLER, 'PHOTO_BUCKET'],
    bucket: ['remove'],
  },
  {
    ...VERIFIER,
    name: 'account',
    concurrency: 8,
    maxInstances: 5,
    timeoutSeconds: 60,
    settings: [
      ...CALLER,
      'PHOTO_BUCKET',
      'PASSWORD_MIN_LENGTH',
      'UPLOAD_LIMIT',
      ...PHOTO_QUOTA,
      'LOGIN_LIMIT_PER_ACCOUNT',
    ],
    bucket: ['remove'],
    native: ['argon2'],
  },
  {
    ...VERIFIER,
    name: 'upload',
    concurrency: 20,
    maxInstances: 20,
    timeoutSeconds: 360,
    maxBodyBytes: 30 * MEBIBYTE + 64 * KIBIBYTE,
    settings: [...ADMISSION, 'MAX_PHOTO_BYTES', 'MAX_PHOTO_PIXELS'],
    bucket: ['create'],
  },
  {
    ...VERIFIER,
    name: 'uploads',
    concurrency: 20,
    maxInstances: 20,
    timeoutSeconds: 360,
    settings: [...ADMISSION, 'MAX_DIRECT_PHOTO_BYTES', 'MAX_PHOTO_PIXELS'],
    bucket: ['create', 'read', 'remove'],
  },
  {
    ...VERIFIER,
    name: 'photos',
    maxInstances: 20,
    settings: [...CALLER, 'PHOTO_BUCKET'],
    bucket: ['read', 'remove'],
    signsUrls: true,
  },
  {
    ...VERIFIER,
    name: 'sweep',
    concurrency: 1,
    maxInstances: 1,
    timeoutSeconds: 300,
    settings: [...STORE, 'PHOTO_BUCKET'],
    secrets: [],
    bucket: ['remove'],
    public: false,
  },
]

/** Set by the platform or by local tools, never by a deployment. */
export const PLATFORM_SETTINGS: readonly SettingName[] = [
  'K_SERVICE',
  'HOST',
  'STORAGE_EMULATOR_HOST',
]

export function functionNamed(name: string): FunctionSpec | undefined {
  return FUNCTIONS.find((spec) => spec.name === name)
}

/** Verifiers learn a new public key before anything signs with it, so they are promoted first (deploy.md 5). */
export function promotionOrder(specs: readonly FunctionSpec[]): readonly FunctionSpec[] {
  const rank = (spec: FunctionSpec) => {
    if (spec.name === 'jwks') return 0
    return spec.secrets.includes('signingKey') ? 2 : 1
  }
  return specs.toSorted((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
}
