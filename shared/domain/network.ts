/** The network that an address belongs to: all that is stored or shown of where somebody is (contract 2). */

function groupsOf(address: string): readonly string[] {
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  if (tail === undefined) return left
  const right = tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  return [...left, ...zeros, ...right]
}

/** `192.0.2.0/24` or `2001:db8:1::/48` of a normalised address; `unknown` where it is neither. */
export function networkOf(address: string): string {
  const [, ipv4] = /^(?:::ffff:)?(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/i.exec(address) ?? []
  if (ipv4 !== undefined) return `${ipv4}.0/24`
  if (!/^[0-9a-f:]+$/i.test(address) || !address.includes(':')) return 'unknown'
  const groups = groupsOf(address.toLowerCase()).slice(0, 3)
  const plain = groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')
  return `${plain.replace(/(:0)+$/, '')}::/48`.replace(/^0::/, '::')
}
