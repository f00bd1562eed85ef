/** The first keys of a deployment, made in memory. */
import { generateSigningKey } from '../../shared/crypto/signing-keys.ts'
import { generateTokenSecret } from '../../shared/crypto/token-secrets.ts'
import type { Input } from './step.ts'

/** One pair of keys for all its callers, so that the published key is that of the private one. */
export function makeInputs(): (input: Input) => string {
  const { privateJwk, publicJwk } = generateSigningKey()
  const tokenSecret = generateTokenSecret()
  const contents: Readonly<Record<Input, string>> = {
    jwks: JSON.stringify({ keys: [publicJwk] }),
    'signing-key': JSON.stringify(privateJwk),
    'token-secret': tokenSecret,
  }
  return (input) => contents[input]
}
