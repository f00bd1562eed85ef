import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { argon2id, hash, verify } from 'argon2'
import { CURRENT, isWeak, parametersOf, SALT_BYTES } from './password-hash.ts'
import { openSemaphore, type Semaphore, type SemaphoreLimits } from './semaphore.ts'

export type PasswordCheck = {
  readonly matches: boolean
  /** The stored hash is weaker than a new one would be; only of interest where it matches (PW-06). */
  readonly weak: boolean
  /** The stored hash is none of ours (PW-07): worth an alert. */
  readonly damaged: boolean
}

export type Hashes = {
  /** A new PHC string of an NFC password. */
  hash(password: string): Promise<string>
  /**
   * Compares with the stored PHC string. Without one, or with one that is not ours, it costs the same: a hash
   * that nobody's password has is compared (AUTH-02).
   */
  verify(stored: string | undefined, password: string): Promise<PasswordCheck>
}

/** Each call waits for its turn, and throws `unavailable` where too many wait. */
export type PasswordHasher = Hashes & {
  /** Throws `unavailable` where too many wait already, for who would read a store before the hash. */
  demandRoom(): void
  /**
   * A turn of one's own, with hashes that need not wait: who has to wait, or is refused, causes nothing else, and what
   * follows a hash cannot pile up behind it. A turn lasts until its work has ended.
   */
  inTurn<T>(work: (hashes: Hashes) => Promise<T>): Promise<T>
}

/** A hash and what goes on meanwhile; whichever fails, the hash has ended before its turn does. */
export async function during<H, T>(
  hashing: Promise<H>,
  other: Promise<T>,
): Promise<readonly [H, T]> {
  other.catch(() => undefined)
  return [await hashing, await other]
}

/** As many as there are cores; libuv's pool has 4 threads, and each running hash takes 20 MiB (PW-05). */
function hashesAtOnce(): SemaphoreLimits {
  const running = Math.max(2, Math.min(4, availableParallelism()))
  return { running, waiting: 32, waitMs: 2_000 }
}

const PARAMETERS = {
  type: argon2id,
  memoryCost: CURRENT.memory,
  timeCost: CURRENT.passes,
  parallelism: CURRENT.lanes,
  hashLength: CURRENT.tagBytes,
} as const

async function hashWithSalt(password: string): Promise<string> {
  return await hash(password, { ...PARAMETERS, salt: randomBytes(SALT_BYTES) })
}

async function compare(stored: string, password: string): Promise<boolean> {
  try {
    return await verify(stored, password)
  } catch {
    // The library throws on what it cannot read; that is a password that does not match.
    return false
  }
}

/** Nothing is computed before the first call, which then waits for the hash of nobody's password, too. */
export function openPasswordHasher(
  semaphore: Semaphore = openSemaphore(hashesAtOnce()),
): PasswordHasher {
  let nobodys: Promise<string> | undefined
  const hashes: Hashes = {
    hash: hashWithSalt,
    verify: async (stored, password) => {
      nobodys ??= hashWithSalt(randomBytes(32).toString('base64url'))
      const dummy = await nobodys
      const parameters = stored === undefined ? undefined : parametersOf(stored)
      const isOurs = stored !== undefined && parameters !== undefined
      const equal = await compare(isOurs ? stored : dummy, password)
      return {
        matches: isOurs && equal,
        weak: isOurs && isWeak(parameters),
        damaged: stored !== undefined && !isOurs,
      }
    },
  }
  return {
    demandRoom: semaphore.demandRoom,
    hash: (password) => semaphore.run(() => hashes.hash(password)),
    verify: (stored, password) => semaphore.run(() => hashes.verify(stored, password)),
    inTurn: (work) => semaphore.run(() => work(hashes)),
  }
}
