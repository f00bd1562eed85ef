/** Key files in a directory of their own, as a function gets them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PublicJwk } from '../../shared/crypto/public-keys.ts'
import { generateSigningKey } from '../../shared/crypto/signing-keys.ts'
import { generateTokenSecret } from '../../shared/crypto/token-secrets.ts'

export type KeyFiles = {
  readonly config: {
    readonly SIGNING_KEY_FILE: string
    readonly JWKS_FILE: string
    readonly TOKEN_SECRET_FILE: string
    readonly TOKEN_ISSUER: string
    readonly TOKEN_AUDIENCE: string
    readonly ACCESS_TOKEN_SECONDS: number
    readonly K_SERVICE: string
  }
  readonly publicJwk: PublicJwk
  readonly privateJwk: Readonly<Record<string, unknown>>
  write(
    name: 'SIGNING_KEY_FILE' | 'JWKS_FILE' | 'TOKEN_SECRET_FILE',
    content: unknown,
    mode?: number,
  ): void
  remove(): void
}

export function makeKeyFiles(): KeyFiles {
  const folder = mkdtempSync(join(tmpdir(), 'wowmedia-keys-'))
  const { privateJwk, publicJwk } = generateSigningKey()
  const config = {
    SIGNING_KEY_FILE: join(folder, 'signing-key.json'),
    JWKS_FILE: join(folder, 'jwks.json'),
    TOKEN_SECRET_FILE: join(folder, 'token-secret'),
    TOKEN_ISSUER: 'https://wowmedia.localhost',
    TOKEN_AUDIENCE: 'wowmedia',
    ACCESS_TOKEN_SECONDS: 600,
    K_SERVICE: '',
  }
  const write: KeyFiles['write'] = (name, content, mode = 0o600) => {
    rmSync(config[name], { force: true })
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    writeFileSync(config[name], text, { mode })
  }
  write('SIGNING_KEY_FILE', privateJwk)
  write('JWKS_FILE', { keys: [publicJwk] })
  write('TOKEN_SECRET_FILE', `${generateTokenSecret()}\n`)
  return {
    config,
    publicJwk,
    privateJwk,
    write,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
