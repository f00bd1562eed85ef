/**
 * The network that a normalised address belongs to, IPv4 /24 or IPv6 /48: all that is stored or
 * shown of where somebody is (contract 2, `sessions`).
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address.replace(/\d+$/, '0/24')
  return `${address.split(':').slice(0, 3).join(':')}::/48`
}
