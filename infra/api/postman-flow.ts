/**
 * The Postman collection's requests in an order in which each one works after the one before: a sign-up, a photo,
 * a look at it, devices, and out again. Bodies and checks only; path, method and token come from the endpoints.
 */
import type { RouteKey } from '../../shared/http/endpoint.ts'

export type Step = {
  readonly folder: string
  readonly name: string
  /** The endpoint's route, or an address kept in a variable. */
  readonly route: RouteKey | { readonly method: 'PUT'; readonly variable: string }
  readonly expected: readonly number[]
  readonly json?: Readonly<Record<string, unknown>>
  readonly query?: Readonly<Record<string, string>>
  /** The photo: as a form with a file picker, or as the body itself. */
  readonly file?: 'form' | 'body'
  readonly token?: '{{refresh_token}}'
  readonly headers?: Readonly<Record<string, string>>
  /** Variable to JSON path of the answer, e.g. `photo.id`. */
  readonly keep?: Readonly<Record<string, string>>
  /** Lines of JavaScript that run before. */
  readonly before?: readonly string[]
}

const KEEP_TOKENS = { access_token: 'access_token', refresh_token: 'refresh_token' }
const CREDENTIALS = { username: '{{username}}', password: '{{password}}', device_name: 'Postman' }

export const FLOW: readonly Step[] = [
  { folder: 'Service', name: 'Welcome', route: 'GET /', expected: [200] },
  { folder: 'Service', name: 'Public keys', route: 'GET /.well-known/jwks.json', expected: [200] },
  { folder: 'Service', name: 'API description', route: 'GET /openapi.json', expected: [200] },
  {
    folder: 'Sign up and in',
    name: 'Sign up',
    route: 'POST /registration',
    expected: [201],
    json: CREDENTIALS,
    keep: KEEP_TOKENS,
    before: [
      "pm.collectionVariables.set('username', 'user-' + Date.now() + '-' + Math.floor(Math.random() * 1e6));",
    ],
  },
  {
    folder: 'Sign up and in',
    name: 'Sign in',
    route: 'POST /login',
    expected: [200],
    json: CREDENTIALS,
    keep: KEEP_TOKENS,
  },
  {
    folder: 'Sign up and in',
    name: 'Refresh the tokens',
    route: 'POST /token/refresh',
    expected: [200],
    token: '{{refresh_token}}',
    keep: KEEP_TOKENS,
  },
  {
    folder: 'Photos',
    name: 'Upload a photo',
    route: 'POST /file',
    expected: [201],
    file: 'form',
    headers: { 'Idempotency-Key': '{{$guid}}' },
    keep: { photo_id: 'photo.id' },
  },
  {
    folder: 'Photos',
    name: 'List photos',
    route: 'GET /photos',
    expected: [200],
    query: { page_size: '20' },
  },
  { folder: 'Photos', name: 'One photo', route: 'GET /photos/{id}', expected: [200] },
  {
    folder: 'Photos',
    name: 'Address of its bytes',
    route: 'GET /photos/{id}/content',
    expected: [200],
    headers: { Accept: 'application/json' },
    keep: { content_url: 'url' },
  },
  { folder: 'Photos', name: 'Delete it', route: 'DELETE /photos/{id}', expected: [204] },
  {
    folder: 'Large photos',
    name: 'Announce a large photo',
    route: 'POST /uploads',
    expected: [201],
    json: { content_type: 'image/jpeg', bytes: '{{photo_bytes}}', original_name: 'large.jpg' },
    keep: { upload_id: 'id', upload_url: 'upload_url' },
  },
  {
    folder: 'Large photos',
    name: 'Send its bytes to the bucket',
    route: { method: 'PUT', variable: 'upload_url' },
    expected: [200],
    file: 'body',
    headers: { 'Content-Type': 'image/jpeg' },
  },
  {
    folder: 'Large photos',
    name: 'Complete it',
    route: 'POST /uploads/{id}/complete',
    expected: [201],
    keep: { photo_id: 'photo.id' },
  },
  {
    folder: 'Devices',
    name: 'List devices',
    route: 'GET /sessions',
    expected: [200],
    keep: { session_id: 'sessions[0].id' },
  },
  {
    folder: 'Devices',
    name: 'Sign out all other devices',
    route: 'DELETE /sessions',
    expected: [204],
    query: { except: 'current' },
  },
  { folder: 'Account', name: 'Account', route: 'GET /account', expected: [200] },
  { folder: 'Account', name: 'Export', route: 'GET /account/export', expected: [200] },
  {
    folder: 'Account',
    name: 'Change the password',
    route: 'PUT /account/password',
    expected: [204],
    json: { current_password: '{{password}}', new_password: '{{password}} 2' },
  },
  {
    folder: 'Administration (admins only, else 403)',
    name: 'List users',
    route: 'GET /users',
    expected: [200, 403],
    query: { page_size: '50' },
  },
  {
    folder: 'Administration (admins only, else 403)',
    name: 'Count what deleting all users would remove',
    route: 'DELETE /users',
    expected: [200, 403],
    query: { dry_run: 'true' },
  },
  {
    folder: 'Sign out',
    name: 'Sign out with the refresh token',
    route: 'POST /logout/refresh',
    expected: [200],
    token: '{{refresh_token}}',
  },
  {
    folder: 'Sign out',
    name: 'Sign out with the access token',
    route: 'POST /logout/access',
    expected: [200],
  },
  {
    folder: 'Leave',
    name: 'Sign in once more',
    route: 'POST /login',
    expected: [200],
    json: { ...CREDENTIALS, password: '{{password}} 2' },
    keep: { ...KEEP_TOKENS },
  },
  {
    folder: 'Leave',
    name: 'This device',
    route: 'GET /sessions',
    expected: [200],
    keep: { session_id: 'sessions[0].id' },
  },
  {
    folder: 'Leave',
    name: 'Sign this device out by its id',
    route: 'DELETE /sessions/{id}',
    expected: [204],
  },
  {
    folder: 'Leave',
    name: 'Sign in a last time',
    route: 'POST /login',
    expected: [200],
    json: { ...CREDENTIALS, password: '{{password}} 2' },
    keep: { ...KEEP_TOKENS },
  },
  {
    folder: 'Leave',
    name: 'Delete the account',
    route: 'DELETE /account',
    expected: [204],
    json: { password: '{{password}} 2' },
  },
]
