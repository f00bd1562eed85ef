/**
 * PHC strings of argon2id as they are stored: `$argon2id$v=19$m=19456,t=2,p=1$SALT$TAG`. Read by name, since
 * writers order the parameters differently; only what is within bounds is ever handed to the library (PW-07).
 */

export type HashParameters = {
  /** KiB. */
  readonly memory: number
  readonly passes: number
  readonly lanes: number
  /** Bytes of the tag. */
  readonly tagBytes: number
}

/** OWASP's first choice (PW-04): 19 MiB and about 45 ms a hash. */
export const CURRENT: HashParameters = { memory: 19_456, passes: 2, lanes: 1, tagBytes: 32 }
export const SALT_BYTES = 16

const MOST_MEMORY = 131_072
const MOST_PASSES = 10
const MOST_LANES = 4

function bytesOf(base64: string): number {
  return Math.floor((base64.length * 3) / 4)
}

function numberIn(parameters: string, name: string): number {
  return Number(new RegExp(`(?:^|,)${name}=(\\d{1,10})(?:,|$)`).exec(parameters)?.[1] ?? 0)
}

/** The parameters of a stored hash; undefined where it is no argon2id of version 19 within bounds. */
export function parametersOf(stored: string): HashParameters | undefined {
  const form =
    /^\$argon2id\$v=19\$([a-z0-9=,]{5,48})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/
  const [, parameters, salt, tag] = form.exec(stored) ?? []
  if (parameters === undefined || salt === undefined || tag === undefined) return undefined
  const memory = numberIn(parameters, 'm')
  const passes = numberIn(parameters, 't')
  const lanes = numberIn(parameters, 'p')
  const isBounded = memory <= MOST_MEMORY && passes <= MOST_PASSES && lanes <= MOST_LANES
  const isPossible = memory >= 8 * lanes && passes >= 1 && lanes >= 1
  return isBounded && isPossible ? { memory, passes, lanes, tagBytes: bytesOf(tag) } : undefined
}

/** True where a hash costs a thief less than a current one would (PW-06); a stronger one is left alone. */
export function isWeak(parameters: HashParameters): boolean {
  return (
    parameters.memory < CURRENT.memory ||
    parameters.passes < CURRENT.passes ||
    parameters.tagBytes < CURRENT.tagBytes
  )
}
