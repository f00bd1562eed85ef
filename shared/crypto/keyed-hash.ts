import { createHmac } from 'node:crypto'
import { deriveKey, type TokenSecrets } from './token-secrets.ts'
import type { Watched } from './watched-file.ts'

/**
 * A keyed hash of names and addresses, for documents and log lines that must not hold them: 43 characters
 * of `A-Za-z0-9_-`, made with the first secret. Each label gives hashes that say nothing about another's.
 */
export function keyedHash(
  secrets: Watched<TokenSecrets>,
  label: string,
): (plain: string) => string {
  return (plain) => {
    const [secret] = secrets.current()
    return createHmac('sha256', deriveKey(secret, label)).update(plain).digest('base64url')
  }
}

/** Where an attempt to sign in comes from, and whom it is for. */
export type Attempted = {
  /** Folded. */
  readonly username: string
  /** The part of the address that shares one limit. */
  readonly address: string
  /** /24 or /48. */
  readonly network: string
}

/** Keyed hashes of each, which name counters and log lines (RL-07, AUTH-08). */
export function openLoginKeys(secrets: Watched<TokenSecrets>): (attempted: Attempted) => {
  readonly account: string
  readonly address: string
  readonly network: string
} {
  const account = keyedHash(secrets, 'username')
  const address = keyedHash(secrets, 'address')
  const network = keyedHash(secrets, 'network')
  return (attempted) => ({
    account: account(attempted.username),
    address: address(attempted.address),
    network: network(attempted.network),
  })
}
