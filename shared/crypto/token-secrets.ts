/** The secrets of `TOKEN_SECRET_FILE`: the first makes new tokens and hashes, all are accepted (contract 1). */
import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { StartError } from '../domain/start-error.ts'
import { type Watched, watchFile } from './watched-file.ts'

/** At least one; each 32 bytes. */
export type TokenSecrets = readonly [Buffer, ...Buffer[]]

const FORM = 'TOKEN_SECRET_FILE must hold one base64url secret of 32 bytes a line'

function secretOf(line: string): Buffer {
  const secret = Buffer.from(line, 'base64url')
  if (secret.length !== 32 || secret.toString('base64url') !== line) throw new StartError(FORM)
  return secret
}

/** The lines of the file. Throws StartError without a byte of them. */
export function parseTokenSecrets(content: string): TokenSecrets {
  const lines = content.split(/\r?\n/).filter((line) => line.trim() !== '')
  const [first, ...others] = lines.map((line) => secretOf(line.trim()))
  if (first === undefined) throw new StartError(FORM)
  return [first, ...others]
}

export type TokenSecretFile = {
  readonly TOKEN_SECRET_FILE: string
  /** Set on Cloud Run. */
  readonly K_SERVICE: string
}

export function openTokenSecrets(config: TokenSecretFile): Watched<TokenSecrets> {
  const watch = {
    variable: 'TOKEN_SECRET_FILE',
    path: config.TOKEN_SECRET_FILE,
    secret: true,
    deployed: config.K_SERVICE !== '',
  }
  return watchFile(watch, parseTokenSecrets)
}

/** A new line of the file. */
export function generateTokenSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** Each derived once; they go with their secret, which goes with the file that held it. */
const derived = new WeakMap<Buffer, Map<string, KeyObject>>()

/** A key of its own for each use of a secret (RFC 5869); `label` is one of the program's few. */
export function deriveKey(secret: Buffer, label: string): KeyObject {
  const keys = derived.get(secret) ?? new Map<string, KeyObject>()
  derived.set(secret, keys)
  const known = keys.get(label)
  if (known !== undefined) return known
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `wowmedia ${label}`, 32)))
  keys.set(label, key)
  return key
}
