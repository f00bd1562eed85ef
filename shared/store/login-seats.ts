/** Which counters an attempt to give a password takes its places in (RL-05). */
import type { KnownNetworks, Throttle } from '../domain/login-throttle.ts'
import type { Rate } from '../domain/rate.ts'
import { longestWindowMs } from '../domain/sliding-window.ts'

/** Keyed hashes, URL-safe, at most 64 characters each. */
export type LoginKeys = {
  /** Of the caller's address, IPv6 by its /64. */
  readonly address: string
  /** Of the folded name, known or not; stored as `users/{uid}.counter_id`. */
  readonly account: string
  /** Of the caller's network, /24 or /48. */
  readonly network: string
}

export type LoginLimits = {
  readonly LOGIN_LIMIT_PER_ADDRESS: readonly Rate[]
  readonly LOGIN_LIMIT_PER_ACCOUNT: readonly Rate[]
}

/** The first one decides; places are taken in all. */
export type Buckets = readonly [string, ...string[]]

export type Seat = {
  /** Of the document in `rate_limits`. */
  readonly id: string
  readonly policy: string
  readonly throttle: Throttle
  bucketsFor(known: KnownNetworks): Buckets
  /** A success clears the bucket that decided, instead of giving back one place. */
  readonly clears: boolean
  /** Becomes known with a success. */
  readonly network?: string
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** The counter of an account lives as long as its known networks (PRIV-03). */
export const KEEP_ACCOUNT_MS = 30 * DAY_MS

const EVERYONE_ELSE = 'others'

/** How long the seat's document is of use after an attempt. */
export function keepMs(seat: Seat, known: KnownNetworks): number {
  if (known.size > 0) return KEEP_ACCOUNT_MS
  const window = longestWindowMs(seat.throttle.rates)
  return (seat.throttle.growingDelay ? Math.max(window, DAY_MS) : window) + HOUR_MS
}

export function addressSeat(keys: LoginKeys, limits: LoginLimits): Seat {
  return {
    id: keys.address,
    policy: 'login-address',
    throttle: { rates: limits.LOGIN_LIMIT_PER_ADDRESS, growingDelay: false },
    bucketsFor: () => ['all'],
    clears: false,
  }
}

type AccountLimit = Pick<LoginLimits, 'LOGIN_LIMIT_PER_ACCOUNT'>

function ofAccount(id: string, limits: AccountLimit) {
  const throttle = { rates: limits.LOGIN_LIMIT_PER_ACCOUNT, growingDelay: true }
  return { id, policy: 'login-account', throttle, clears: true }
}

/** Each network that the account is known from has a bucket of its own; all others share one. */
export function accountSeat(keys: LoginKeys, limits: LoginLimits): Seat {
  const { account, network } = keys
  return {
    ...ofAccount(account, limits),
    bucketsFor: (known) => [known.has(network) ? `network-${network}` : EVERYONE_ELSE],
    network,
  }
}

/** Failures of live sessions decide for live sessions, and count with everyone else's besides. */
export function accountSeatOfSession(counterId: string, limits: AccountLimit): Seat {
  return { ...ofAccount(counterId, limits), bucketsFor: () => ['sessions', EVERYONE_ELSE] }
}
