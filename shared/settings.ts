/**
 * Every setting once: its meaning, form and default. The README's table, `.env.example` and the
 * deployment's variables are made from here (contract 1).
 */
import {
  functionUrls,
  origins,
  rates,
  text,
  time,
  webAddress,
  wholeNumber,
} from './setting-forms.ts'

export type Setting<T> = {
  /** What the value must be, as it completes "NAME must be …". */
  readonly form: string
  /** Text of the default; absent means that the variable is required. */
  readonly fallback?: string
  /** The default of a local run, where it is not the deployed one; set by `npm start`. */
  readonly local?: string
  readonly meaning: string
  /** The value, or undefined where the text has not the form. */
  parse(text: string): T | undefined
}

const MEBIBYTE = 1024 * 1024

const setting = <T>(definition: Setting<T>): Setting<T> => definition

const TABLE = {
  GOOGLE_CLOUD_PROJECT: setting({
    form: 'a project id',
    local: 'wowmedia-local',
    meaning: 'Google Cloud project',
    parse: text(64),
  }),
  FIRESTORE_DATABASE: setting({
    form: 'a database id',
    local: '(default)',
    meaning: 'Firestore database',
    parse: text(64),
  }),
  PHOTO_BUCKET: setting({
    form: 'a bucket name',
    local: 'wowmedia-photos',
    meaning: 'bucket of the photos',
    parse: text(222),
  }),
  TOKEN_ISSUER: setting({
    form: 'an https address',
    local: 'https://wowmedia.localhost',
    meaning: 'claim `iss`; does not depend on the port, so tokens outlive a restart',
    parse: webAddress,
  }),
  TOKEN_AUDIENCE: setting({
    form: 'a name of 1 to 256 characters',
    local: 'wowmedia',
    meaning: 'claim `aud`',
    parse: text(256),
  }),
  SIGNING_KEY_FILE: setting({
    form: 'the path of a private JWK (P-256, mode 0600)',
    local: 'in the data directory',
    meaning: 'key that signs access tokens; `register`, `login`, `refresh` only',
    parse: text(4096),
  }),
  TOKEN_SECRET_FILE: setting({
    form: 'the path of a file with one base64url secret of 32 bytes a line (mode 0600)',
    local: 'in the data directory',
    meaning:
      'secrets of refresh tokens and keyed hashes; the first makes new ones, all are accepted',
    parse: text(4096),
  }),
  JWKS_FILE: setting({
    form: 'the path of a public JWK Set',
    local: 'in the data directory',
    meaning: 'public keys of all functions that verify',
    parse: text(4096),
  }),
  TOKENS_NOT_BEFORE: setting({
    form: 'an RFC 3339 time',
    fallback: '',
    meaning: 'tokens and sessions from before are refused with `session_ended`',
    parse: (value): Date | 'none' | undefined => (value === '' ? 'none' : time(value)),
  }),
  PUBLIC_URL: setting({
    form: 'an http or https address without query',
    fallback: '',
    local: 'own address',
    meaning:
      'address that callers use for all functions; `Location` and links are absolute with it',
    parse: (value) => (value === '' ? '' : webAddress(value)),
  }),
  FUNCTION_URLS: setting({
    form: '`name=url` pairs joined by commas',
    fallback: '',
    meaning: '`welcome` only: address of each function, set by deploy',
    parse: functionUrls,
  }),
  ACCESS_TOKEN_SECONDS: setting({
    form: 'a whole number from 300 to 900',
    fallback: '600',
    meaning: 'lifetime of an access token',
    parse: wholeNumber(300, 900),
  }),
  REFRESH_TOKEN_IDLE_DAYS: setting({
    form: 'a whole number from 1 to 3650',
    fallback: '30',
    meaning: 'a session ends when unused for so long',
    parse: wholeNumber(1, 3650),
  }),
  REFRESH_TOKEN_MAX_DAYS: setting({
    form: 'a whole number from 1 to 3650',
    fallback: '180',
    meaning: 'a session ends when older',
    parse: wholeNumber(1, 3650),
  }),
  UPLOAD_LIMIT: setting({
    form: 'like 5/minute, 10/15minutes or 5/minute;100/hour, with counts from 1 to 100000',
    fallback: '5/minute',
    meaning: 'uploads per user',
    parse: rates,
  }),
  LOGIN_LIMIT_PER_ADDRESS: setting({
    form: 'like 30/minute, with counts from 1 to 100000',
    fallback: '30/minute',
    meaning: 'failed logins per network address',
    parse: rates,
  }),
  LOGIN_LIMIT_PER_ACCOUNT: setting({
    form: 'like 10/15minutes, with counts from 1 to 100000',
    fallback: '10/15minutes',
    meaning: 'failed logins per account, apart from the networks that it is known from',
    parse: rates,
  }),
  REGISTRATION_LIMIT_PER_ADDRESS: setting({
    form: 'like 100/hour, with counts from 1 to 100000',
    fallback: '100/hour',
    meaning: 'registrations per network address',
    parse: rates,
  }),
  MAX_PHOTO_BYTES: setting({
    form: `a whole number from 1 to ${30 * MEBIBYTE}`,
    fallback: String(20 * MEBIBYTE),
    meaning: 'largest photo of `POST /file`, bytes',
    parse: wholeNumber(1, 30 * MEBIBYTE),
  }),
  MAX_DIRECT_PHOTO_BYTES: setting({
    form: `a whole number from 1 to ${1024 * MEBIBYTE}`,
    fallback: String(200 * MEBIBYTE),
    meaning: 'largest photo of `POST /uploads`, bytes',
    parse: wholeNumber(1, 1024 * MEBIBYTE),
  }),
  MAX_PHOTO_PIXELS: setting({
    form: 'a whole number from 1 to 4000000000',
    fallback: '200000000',
    meaning: 'largest width times height',
    parse: wholeNumber(1, 4_000_000_000),
  }),
  PHOTO_QUOTA_BYTES: setting({
    form: 'a whole number of bytes',
    fallback: String(5 * 1024 * MEBIBYTE),
    meaning: 'bytes per user',
    parse: wholeNumber(1, 999_999_999_999),
  }),
  PHOTO_QUOTA_COUNT: setting({
    form: 'a whole number from 1 to 10000000',
    fallback: '10000',
    meaning: 'photos per user',
    parse: wholeNumber(1, 10_000_000),
  }),
  PASSWORD_MIN_LENGTH: setting({
    form: 'a whole number from 8 to 64',
    fallback: '8',
    meaning:
      'characters of a password; 15 where a password is the only factor and NIST’s figure is wanted',
    parse: wholeNumber(8, 64),
  }),
  TRUSTED_PROXY_HOPS: setting({
    form: 'a whole number from 0 to 8',
    local: '0',
    fallback: '1',
    meaning: 'which entry of `X-Forwarded-For`, from the right, is the client; 0 is the socket',
    parse: wholeNumber(0, 8),
  }),
  CORS_ORIGINS: setting({
    form: 'exact origins joined by commas',
    fallback: '',
    meaning: 'browser origins that may call',
    parse: origins,
  }),
  HOST: setting({
    form: 'an address to listen on',
    fallback: '127.0.0.1',
    meaning: 'listen address where `K_SERVICE` is not set',
    parse: text(255),
  }),
  STORAGE_EMULATOR_HOST: setting({
    form: 'an http address',
    fallback: '',
    meaning: 'a local Cloud Storage instead of Google’s; set by `npm start`',
    parse: (value) => (value === '' ? '' : webAddress(value)),
  }),
  K_SERVICE: setting({
    form: 'set by Cloud Run',
    fallback: '',
    meaning: 'set where deployed; never by hand',
    parse: (value: string) => value,
  }),
} satisfies Record<string, Setting<unknown>>

type Values = {
  readonly [N in keyof typeof TABLE]: (typeof TABLE)[N] extends Setting<infer T> ? T : never
}
export type SettingName = keyof Values
export type Settings<N extends SettingName> = { readonly [K in N]: Values[K] }

export const SETTINGS: { readonly [N in SettingName]: Setting<Values[N]> } = TABLE
