/** The keys of a local run, made on its first start and kept from then on (contract 1, KEY-05). */
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { generateSigningKey, parseSigningKey } from '../../shared/crypto/signing-keys.ts'
import { generateTokenSecret } from '../../shared/crypto/token-secrets.ts'
import { keyFiles } from './environment.ts'

/** Writes a file as a whole or not at all; `mode` is 0600 for secrets. */
export async function replaceFile(path: string, content: string, mode: number): Promise<void> {
  const draft = `${path}.${process.pid}.new`
  try {
    await writeFile(draft, content, { mode, flush: true })
    await chmod(draft, mode)
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/** The content of a key file: indented JSON with a final newline. */
export function keyFileContent(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

/**
 * Makes what is missing below the data directory: signing key, its public set, token secret; what is there stays.
 * The public set is written first, so a start that was killed between leaves no signing key without it.
 */
export async function createLocalKeys(dataDir: string): Promise<void> {
  const files = keyFiles(dataDir)
  await mkdir(dirname(files.SIGNING_KEY_FILE), { recursive: true, mode: 0o700 })
  if (!existsSync(files.SIGNING_KEY_FILE)) {
    const { privateJwk, publicJwk } = generateSigningKey()
    const local = { ...privateJwk, origin: 'local' }
    await replaceFile(files.JWKS_FILE, keyFileContent({ keys: [publicJwk] }), 0o644)
    await replaceFile(files.SIGNING_KEY_FILE, keyFileContent(local), 0o600)
  }
  if (!existsSync(files.JWKS_FILE)) {
    const { publicJwk } = parseSigningKey(await readFile(files.SIGNING_KEY_FILE, 'utf8'))
    await replaceFile(files.JWKS_FILE, keyFileContent({ keys: [publicJwk] }), 0o644)
  }
  if (!existsSync(files.TOKEN_SECRET_FILE)) {
    await replaceFile(files.TOKEN_SECRET_FILE, `${generateTokenSecret()}\n`, 0o600)
  }
}
