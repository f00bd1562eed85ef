import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { keyFiles } from '../../infra/local/environment.ts'
import { createLocalKeys } from '../../infra/local/keys.ts'
import { openPublicKeys, type PublicJwk } from '../../shared/crypto/public-keys.ts'
import { generateSigningKey, openSigningKey } from '../../shared/crypto/signing-keys.ts'
import { openTokenSecrets } from '../../shared/crypto/token-secrets.ts'
import { openTokenSigner } from '../../shared/crypto/token-signer.ts'
import { openTokenVerifier } from '../../shared/crypto/token-verifier.ts'
import { StartError } from '../../shared/domain/start-error.ts'
import { newDataDir } from '../app.ts'
import { newSession } from '../domain/token-family.ts'
import { makeKeyFiles } from './key-files.ts'

const made: { remove(): void }[] = []
function newFiles() {
  const files = makeKeyFiles()
  made.push(files)
  return files
}
afterEach(() => {
  for (const files of made.splice(0)) files.remove()
})

function refusal(open: () => unknown): string {
  try {
    open()
  } catch (error) {
    if (error instanceof StartError) return error.message
    throw error
  }
  return 'started'
}

const SECRET =
  /"d" *: *"[A-Za-z0-9_-]{43}"|-----BEGIN [A-Z ]*PRIVATE KEY-----\n|wmr_[A-Za-z0-9_-]{91}/g

/** All that was ever committed; empty where the sources came without their history. */
function history(): string {
  const { stdout } = spawnSync('git', ['log', '--all', '-p', '--no-color'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  })
  return stdout ?? ''
}

function jwkOf(namedCurve: string) {
  return generateKeyPairSync('ec', { namedCurve }).privateKey.export({ format: 'jwk' })
}

describe('keys', () => {
  test('KEY-05 private ones lie in files of their own with mode 0600, made once', async () => {
    const dataDir = await newDataDir()
    const files = keyFiles(dataDir)
    const modes = () =>
      [files.SIGNING_KEY_FILE, files.TOKEN_SECRET_FILE].map((file) => statSync(file).mode & 0o777)

    await createLocalKeys(dataDir)
    const first = openPublicKeys({ ...files, K_SERVICE: '' }).current().jwks
    await createLocalKeys(dataDir)
    const again = openPublicKeys({ ...files, K_SERVICE: '' }).current().jwks

    expect(modes()).toEqual([0o600, 0o600])
    await rm(files.JWKS_FILE)
    await createLocalKeys(dataDir)
    const mended = openPublicKeys({ ...files, K_SERVICE: '' }).current().jwks

    expect(again).toEqual(first)
    expect(mended).toEqual(first)
    expect(first).toHaveLength(1)
    expect(refusal(() => openSigningKey({ ...files, K_SERVICE: '' }))).toBe('started')
    expect(refusal(() => openSigningKey({ ...files, K_SERVICE: 'login' }))).toMatch(
      /^SIGNING_KEY_FILE must not name a key of a local run/,
    )
    for (const [name, open] of [
      ['SIGNING_KEY_FILE', () => openSigningKey({ ...files, K_SERVICE: '' })],
      ['TOKEN_SECRET_FILE', () => openTokenSecrets({ ...files, K_SERVICE: '' })],
    ] as const) {
      chmodSync(files[name], 0o644)
      expect(refusal(open)).toBe(`${name} must name a file with mode 0600`)
    }
    await rm(dataDir, { recursive: true })
    expect(history().match(SECRET)).toBeNull()
    expect(`x "d":"${'A'.repeat(43)}" x`).toMatch(SECRET)
  })

  test('KEY-06 that are weak, of another kind, none, twice or not a pair are refused at start', () => {
    const files = newFiles()
    const other = generateSigningKey()
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
    const signing: readonly unknown[] = [
      '',
      'no json',
      {},
      [],
      { ...rsa.export({ format: 'jwk' }), alg: 'RS256', kid: 'k' },
      { ...jwkOf('P-384'), alg: 'ES384', kid: 'k' },
      { ...files.privateJwk, kid: 'another' },
      { ...files.privateJwk, alg: 'ES384' },
      { ...files.privateJwk, d: undefined },
      { ...files.privateJwk, d: 'AAAA' },
      files.publicJwk,
      other.privateJwk,
      { ...files.privateJwk, d: other.privateJwk.d },
    ]
    const messages = signing.map((content) => {
      files.write('SIGNING_KEY_FILE', content)
      return refusal(() => openSigningKey(files.config))
    })
    files.write('SIGNING_KEY_FILE', files.privateJwk)
    const sets: readonly unknown[] = [
      '',
      { keys: [] },
      { keys: {} },
      { keys: [files.publicJwk, files.publicJwk] },
      { keys: [{ ...jwkOf('P-384'), d: undefined, alg: 'ES384', kid: 'k' }] },
      { keys: [{ ...files.publicJwk, x: files.publicJwk.y, kid: files.publicJwk.kid }] },
      { keys: [other.publicJwk] },
      { keys: [files.publicJwk, { ...other.publicJwk, kid: 'another' }] },
    ]
    for (const content of sets) {
      files.write('JWKS_FILE', content)
      messages.push(refusal(() => openSigningKey(files.config)))
    }

    expect(messages).toHaveLength(21)
    for (const message of messages) {
      expect(message).toMatch(/^(SIGNING_KEY_FILE|JWKS_FILE) must hold/)
      expect(message).not.toContain(String(files.privateJwk['d']))
    }
  })

  test('published ones have public members only, and a private one is refused at start', () => {
    const files = newFiles()
    const { jwks } = openPublicKeys(files.config).current()
    files.write('JWKS_FILE', { keys: [{ ...files.publicJwk, key_ops: ['verify'], ext: true }] })

    expect(openPublicKeys(files.config).current().jwks).toEqual(jwks)
    expect(Object.keys(jwks[0] ?? {}).toSorted()).toEqual([
      'alg',
      'crv',
      'kid',
      'kty',
      'use',
      'x',
      'y',
    ])
    for (const member of ['d', 'p', 'q', 'k']) {
      files.write('JWKS_FILE', { keys: [{ ...files.publicJwk, [member]: 'x' }] })
      expect(refusal(() => openPublicKeys(files.config))).toBe(
        'JWKS_FILE must not hold a private key',
      )
    }
  })

  test('are rotated in four steps: a token is verified as long as its key is published', async () => {
    const files = newFiles()
    const signer = openTokenSigner(files.config)
    const verifier = openTokenVerifier(files.config)
    const next = generateSigningKey()
    const now = new Date()
    const tokens: string[] = []
    const signAndVerifyAll = async () => {
      tokens.push(await signer.sign(newSession(), now))
      for (const token of tokens) await verifier.verify(token, now)
    }
    const kids = () => tokens.map((token) => JSON.parse(atob(token.split('.')[0] ?? '')).kid)

    await signAndVerifyAll()
    files.write('JWKS_FILE', { keys: [files.publicJwk, next.publicJwk] })
    await signAndVerifyAll()
    files.write('SIGNING_KEY_FILE', next.privateJwk)
    const signsWithNext = openTokenSigner(files.config)
    tokens.push(await signsWithNext.sign(newSession(), now))
    await signAndVerifyAll()

    expect(new Set(kids())).toEqual(new Set([files.publicJwk.kid, next.publicJwk.kid]))
    files.write('JWKS_FILE', { keys: [next.publicJwk] })
    await expect(
      openTokenVerifier(files.config).verify(tokens[0] ?? '', now),
    ).rejects.toMatchObject({
      code: 'token_invalid',
    })
    await expect(
      openTokenVerifier(files.config).verify(tokens[2] ?? '', now),
    ).resolves.toBeDefined()
  })

  test('that cannot be read any more leave the last good ones in use', async () => {
    const files = newFiles()
    const keys = openPublicKeys(files.config)
    const before: readonly PublicJwk[] = keys.current().jwks

    files.write('JWKS_FILE', '{"keys": [')

    expect(keys.changed().jwks).toEqual(before)
    files.remove()
    expect(keys.changed().jwks).toEqual(before)
  })
})

describe('secrets', () => {
  test.for([
    { form: 'none', content: '\n' },
    { form: 'short', content: 'c2hvcnQ\n' },
    { form: 'padded', content: `${Buffer.alloc(32).toString('base64')}\n` },
    { form: 'of another line’s form', content: `${Buffer.alloc(32).toString('base64url')}\nx\n` },
  ])('of the form $form are refused at start, and not shown', ({ content }) => {
    const files = newFiles()
    files.write('TOKEN_SECRET_FILE', content)

    expect(refusal(() => openTokenSecrets(files.config))).toBe(
      'TOKEN_SECRET_FILE must hold one base64url secret of 32 bytes a line',
    )
  })
})
