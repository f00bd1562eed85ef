import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect } from 'vitest'
import { FUNCTIONS } from '../../infra/manifest.ts'
import { call, randomName } from '../app.ts'
import { startNode } from '../processes.ts'
import { type Local, refresh, register, test, tokensOf, useToken } from './local.ts'

const ISSUERS = ['login', 'refresh', 'register']

/** Every file of ours that a file imports, itself included; types are no code. */
function reached(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  const source = readFileSync(file, 'utf8')
  const imports = source.matchAll(
    /^(?:import|export) (?!type )[^'"]*?from '(\.[^']+)'|import\('(\.[^']+)'\)/gm,
  )
  for (const [, fixed, lazy = ''] of imports) {
    reached(posix.join(posix.dirname(file), fixed ?? lazy), seen)
  }
  return seen
}

function without(local: Local, ...names: string[]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(local.environment).filter(([name]) => !names.includes(name)),
  )
}

/** Loads a function as its process would; what it printed, and its exit code. */
async function load(name: string, environment: Readonly<Record<string, string>>) {
  const code = `await import('./functions/${name}.ts'); process.exit(0)`
  const started = startNode(['--input-type=module', '--eval', code], environment)
  return { code: await started.ended, output: started.output().trim() }
}

describe('keys', () => {
  test('KEY-01 that sign are within reach of register, login and refresh alone', {
    timeout: 120_000,
  }, async ({ local }) => {
    const names = FUNCTIONS.map(({ name }) => name)
    const reaching = (file: string) =>
      names.filter((name) => reached(`functions/${name}.ts`).has(file)).toSorted()
    const holding = (secret: 'signingKey' | 'tokenSecret') =>
      FUNCTIONS.flatMap(({ name, secrets }) => (secrets.includes(secret) ? [name] : [])).toSorted()

    expect(reaching('shared/crypto/signing-keys.ts')).toEqual(ISSUERS)
    expect(reaching('shared/crypto/token-signer.ts')).toEqual(ISSUERS)
    expect(reaching('shared/crypto/token-verifier.ts').length).toBeGreaterThan(5)
    expect(holding('signingKey')).toEqual(ISSUERS)
    expect(holding('tokenSecret')).toEqual(ISSUERS)
    const secretless = without(local, 'SIGNING_KEY_FILE', 'TOKEN_SECRET_FILE')
    expect(await load('upload', secretless)).toEqual({ code: 0, output: '' })
    expect(await load('login', secretless)).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^SIGNING_KEY_FILE is not set; [^\n]+$/),
    })
  })

  test('a function says in one line which of its files is missing', { timeout: 120_000 }, async ({
    local,
  }) => {
    for (const name of ['SIGNING_KEY_FILE', 'TOKEN_SECRET_FILE', 'JWKS_FILE']) {
      const environment = { ...local.environment, [name]: '/nowhere/at/all' }
      expect(await load('refresh', environment)).toEqual({
        code: 1,
        output: `${name} names a file that cannot be read`,
      })
    }
  })

  test('KEY-02 are shown with their public members, and may be cached for 5 minutes', {
    timeout: 120_000,
  }, async ({ local }) => {
    const answer = await call(local.url, 'GET', '/.well-known/jwks.json')

    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
    expect(answer.body).toEqual({
      keys: [
        {
          kty: 'EC',
          crv: 'P-256',
          x: expect.stringMatching(/^[\w-]{43}$/),
          y: expect.stringMatching(/^[\w-]{43}$/),
          alg: 'ES256',
          use: 'sig',
          kid: expect.stringMatching(/^[\w-]{43}$/),
        },
      ],
    })
  })

  test('KEY-04 TOKENS_NOT_BEFORE ends every token and session from before it', {
    timeout: 120_000,
  }, async ({ local }) => {
    const old = tokensOf(await register(local.url, randomName()))
    const later = new Date(Date.now() + 2_000)
    const { url, process } = await local.startInstance({ TOKENS_NOT_BEFORE: later.toISOString() })

    const codes = [await useToken(url, old.access), await refresh(url, old.refresh)]
    const wait = Math.max(0, later.getTime() + 1_000 - Date.now())
    await new Promise((resolve) => setTimeout(resolve, wait))
    const young = tokensOf(await register(url, randomName()))
    const served = [await useToken(url, young.access), await refresh(url, young.refresh)]

    expect(codes.map(({ status, body }) => [status, body['code']])).toEqual(
      Array(2).fill([401, 'session_ended']),
    )
    expect(served.map(({ status }) => status)).toEqual([200, 200])
    expect((await useToken(local.url, old.access)).status).toBe(200)
    await process.stop()
  })
})
