/** Who is calling, as a network address: behind proxies, normalised, and as the key of a limit (RL-06, RL-07). */
import { isIPv4, isIPv6 } from 'node:net'
import type { ClientAddress } from './endpoint.ts'

/** What stands for a caller whose socket was gone before it was asked. */
const UNKNOWN = '0.0.0.0'

/** The eight 16-bit groups of an IPv6 address without zone. */
function groupsOf(address: string): readonly number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const [, head = '', a, b, c, d] = dotted ?? []
  const hex = (high?: string, low?: string) => (Number(high) * 256 + Number(low)).toString(16)
  const plain = dotted === null ? address : `${head}${hex(a, b)}:${hex(c, d)}`
  const [left = '', right] = plain.split('::')
  const parse = (side: string) =>
    side === '' ? [] : side.split(':').map((group) => Number.parseInt(group, 16))
  const before = parse(left)
  const after = parse(right ?? '')
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0)
  return [...before, ...zeros, ...after]
}

function mappedIPv4(groups: readonly number[]): string | undefined {
  const [high = 0, low = 0] = groups.slice(6)
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  return mapped ? [high >> 8, high & 255, low >> 8, low & 255].join('.') : undefined
}

const printed = (groups: readonly number[]) => groups.map((group) => group.toString(16)).join(':')

/** One spelling for each address: no port, no zone, IPv4-mapped as IPv4, IPv6 as eight groups; undefined for garbage. */
export function normaliseAddress(text: string): ClientAddress | undefined {
  const trimmed = text.trim()
  const bare =
    /^\[(.*)\](:\d{1,5})?$/.exec(trimmed)?.[1] ?? trimmed.replace(/^([\d.]+):\d{1,5}$/, '$1')
  const address = bare.replace(/%.*$/, '')
  if (isIPv4(address)) return address
  if (!isIPv6(address)) return undefined
  const groups = groupsOf(address)
  return mappedIPv4(groups) ?? printed(groups)
}

/**
 * The caller's address: entry number `hops` from the right of all `X-Forwarded-For` lines joined;
 * the socket's where `hops` is 0, where there are fewer valid entries or where one of those is garbage.
 */
export function clientAddress(
  forwardedFor: string,
  socketAddress: string | undefined,
  hops: number,
): ClientAddress {
  const socket = normaliseAddress(socketAddress ?? '') ?? UNKNOWN
  if (hops === 0) return socket
  const trusted = forwardedFor.split(',').slice(-hops).map(normaliseAddress)
  const complete = trusted.length === hops && trusted.every((entry) => entry !== undefined)
  return (complete ? trusted[0] : undefined) ?? socket
}

function prefix(address: ClientAddress, groups: number): string {
  return `${address.split(':').slice(0, groups).join(':')}::/${groups * 16}`
}

/** What shares one limit: an IPv4 address, or the /64 of an IPv6 address (RL-07). */
export function limitNetwork(address: ClientAddress): string {
  return isIPv4(address) ? address : prefix(address, 4)
}

/** The coarse network that is logged and shown to the account's owner: IPv4 /24, IPv6 /48 (contract 2, `sessions`). */
export function displayNetwork(address: ClientAddress): string {
  return isIPv4(address) ? address.replace(/\d+$/, '0/24') : prefix(address, 3)
}
