/** Access tokens of which form, signature and claims were found good, so that an app's next call does not pay again. */
import type { KeyObject } from 'node:crypto'
import type { AccessTokenClaims } from './access-token.ts'

/** About 700 bytes each. */
const MOST = 1_000

type Verified = {
  readonly keyId: string
  readonly key: KeyObject
  readonly claims: AccessTokenClaims
}

export class VerifiedTokens {
  readonly #tokens = new Map<string, Verified>()

  /**
   * The claims, where this very text was verified with the key that its key id still names, and is within its own
   * times without any tolerance; at their edges, and for any other text, the whole check decides.
   */
  find(
    token: string,
    keys: ReadonlyMap<string, KeyObject>,
    now: Date,
  ): AccessTokenClaims | undefined {
    const known = this.#tokens.get(token)
    if (known === undefined) return undefined
    const { issuedAt, expiresAt } = known.claims
    const isCurrent = issuedAt <= now && now < expiresAt
    if (isCurrent && keys.get(known.keyId) === known.key) return known.claims
    this.#tokens.delete(token)
    return undefined
  }

  add(token: string, verified: Verified): void {
    const [oldest] = this.#tokens.keys()
    if (this.#tokens.size >= MOST && oldest !== undefined) this.#tokens.delete(oldest)
    this.#tokens.set(token, verified)
  }
}
