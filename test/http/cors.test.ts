import { test as base, expect } from 'vitest'
import { startFixture } from './fixture-server.ts'

const ALLOWED = 'https://app.example'
const EXPOSED =
  'Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, Idempotency-Replayed, WWW-Authenticate'

const test = base.extend('server', { scope: 'file' }, async ({}, { onCleanup }) => {
  const server = await startFixture({ CORS_ORIGINS: `${ALLOWED},https://other.example:8443` })
  onCleanup(() => void server.process.stop('SIGKILL'))
  return server
})

async function corsOf(url: string, method: string, origin?: string) {
  const preflight = method === 'OPTIONS' ? { 'access-control-request-method': 'GET' } : {}
  const headers = { ...preflight, ...(origin === undefined ? {} : { origin }) }
  const answer = await fetch(url, { method, headers })
  const names = [...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))
  const found = names.map((name) => [name, answer.headers.get(name) ?? ''])
  return { status: answer.status, vary: answer.headers.get('vary'), ...Object.fromEntries(found) }
}

test('HTTP-05 only an exactly configured origin gets CORS headers, without credentials', async ({
  server,
}) => {
  const foreign = [
    'null',
    'https://app.example.evil.example',
    'https://evil-app.example',
    'http://app.example',
    'https://app.example:444',
    'https://APP.example',
    `${ALLOWED}/`,
    '*',
  ]

  const denied = await Promise.all(
    foreign.map((origin) => corsOf(`${server.url}/hello`, 'GET', origin)),
  )
  const allowed = await corsOf(`${server.url}/hello`, 'GET', ALLOWED)
  const refused = await corsOf(`${server.url}/mine`, 'GET', ALLOWED)
  const preflight = await corsOf(`${server.url}/mine`, 'OPTIONS', ALLOWED)
  const deniedPreflight = await corsOf(`${server.url}/mine`, 'OPTIONS', 'https://evil.example')

  expect(denied).toEqual(foreign.map(() => ({ status: 200, vary: 'Origin' })))
  const granted = {
    vary: 'Origin',
    'access-control-allow-origin': ALLOWED,
    'access-control-expose-headers': EXPOSED,
  }
  expect(allowed).toEqual({ status: 200, ...granted })
  expect(refused).toEqual({ status: 401, ...granted })
  expect(preflight).toEqual({
    status: 204,
    ...granted,
    'access-control-allow-methods': 'GET, HEAD, POST, OPTIONS',
    'access-control-allow-headers': 'Authorization, Content-Type, Idempotency-Key, X-Request-Id',
    'access-control-max-age': '600',
  })
  expect(deniedPreflight).toEqual({ status: 204, vary: 'Origin' })
})
