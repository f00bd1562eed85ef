/** Calls that show within seconds that a revision serves: each function alone, then one user's way through all. */
import { createHash, randomBytes } from 'node:crypto'
import type { FunctionSpec } from '../manifest.ts'

/** Base address of a function. */
export type AddressOf = (name: string) => string

export class SmokeError extends Error {}

/** A PNG of one pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
)
const CALL_MS = 30_000

type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> }

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

async function call(url: string, init: RequestInit): Promise<Answer> {
  const signal = AbortSignal.timeout(CALL_MS)
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal })
    const received = await response.text()
    const json = (response.headers.get('content-type') ?? '').includes('json')
    const body: unknown = json && received !== '' ? JSON.parse(received) : {}
    return { status: response.status, body: isRecord(body) ? body : {} }
  } catch (error) {
    throw new SmokeError(`${init.method ?? 'GET'} ${url}: no answer`, { cause: error })
  }
}

function expect(answer: Answer, status: number, what: string): Answer {
  if (answer.status === status) return answer
  const code = String(answer.body['code'] ?? 'no problem code')
  throw new SmokeError(`${what}: ${answer.status} ${code} instead of ${status}`)
}

/** Each function answers as itself: its own 404 for a path that no function has; a private one lets nobody in. */
export async function smokeFunction(spec: FunctionSpec, url: string): Promise<void> {
  if (!spec.public) {
    const { status } = await call(url, { method: 'POST' })
    if (status === 401 || status === 403) return
    throw new SmokeError(`${spec.name} is private and answered ${status} to anybody`)
  }
  const absent = await call(`${url}/smoke-${randomBytes(4).toString('hex')}`, {})
  expect(absent, 404, `${spec.name}, unknown path`)
  if (absent.body['code'] !== 'not_found') {
    throw new SmokeError(`${spec.name}: the 404 did not come from the function`)
  }
  if (spec.name === 'welcome') expect(await call(`${url}/`, {}), 200, 'welcome')
  if (spec.name === 'jwks') expect(await call(`${url}/.well-known/jwks.json`, {}), 200, 'jwks')
}

function post(body: unknown, token?: string): RequestInit {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const headers = { 'content-type': 'application/json', ...authorization }
  return { method: 'POST', headers, body: JSON.stringify(body) }
}

function text(answer: Answer, name: string, what: string): string {
  const value = answer.body[name]
  if (typeof value === 'string') return value
  throw new SmokeError(`${what}: the answer has no ${name}`)
}

async function signIn(addressOf: AddressOf, username: string, password: string) {
  const credentials = post({ username, password, device_name: 'smoke test' })
  expect(await call(`${addressOf('register')}/registration`, credentials), 201, 'registration')
  const login = expect(await call(`${addressOf('login')}/login`, credentials), 200, 'login')
  const refreshToken = text(login, 'refresh_token', 'login')
  const asked = post({ refresh_token: refreshToken })
  const refresh = `${addressOf('refresh')}/token/refresh`
  const first = expect(await call(refresh, asked), 200, 'refresh')
  const again = expect(await call(refresh, asked), 200, 'the same refresh again')
  if (text(first, 'refresh_token', 'refresh') !== text(again, 'refresh_token', 'refresh')) {
    throw new SmokeError('the same refresh again gave another refresh token')
  }
  return text(again, 'access_token', 'refresh')
}

async function photoJourney(addressOf: AddressOf, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}` }
  const photos = addressOf('photos')
  const sent = await call(`${addressOf('upload')}/file`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'image/png' },
    body: new Uint8Array(PIXEL),
  })
  const { photo } = expect(sent, 201, 'upload').body
  const id = isRecord(photo) && typeof photo['id'] === 'string' ? photo['id'] : 'missing'
  const content = await call(`${photos}/photos/${id}/content`, {
    headers: { ...headers, accept: 'application/json' },
  })
  const address = text(expect(content, 200, 'address of the photo'), 'url', 'address of the photo')
  const bytes = Buffer.from(await (await fetch(address)).arrayBuffer())
  const digest = createHash('sha256').update(bytes).digest('hex')
  if (!isRecord(photo) || digest !== photo['sha256']) {
    throw new SmokeError('the photo did not come back as it was stored')
  }
  const removed = await call(`${photos}/photos/${id}`, { method: 'DELETE', headers })
  expect(removed, 204, 'deletion of the photo')
}

/** A throw-away user signs up, in, uploads, looks at and deletes a photo, and deletes the account. */
export async function smokeJourney(addressOf: AddressOf): Promise<void> {
  const username = `smoke-${randomBytes(6).toString('hex')}`
  const password = randomBytes(18).toString('base64url')
  const token = await signIn(addressOf, username, password)
  const account = `${addressOf('account')}/account`
  try {
    await photoJourney(addressOf, token)
  } finally {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ password })
    expect(await call(account, { method: 'DELETE', headers, body }), 204, 'deletion of the account')
  }
}
