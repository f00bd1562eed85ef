import { test as base, describe, expect, test as rule } from 'vitest'
import {
  clientAddress,
  displayNetwork,
  limitNetwork,
  normaliseAddress,
} from '../../shared/http/client-address.ts'
import { members, startFixture } from './fixture-server.ts'

const test = base.extend('server', { scope: 'file' }, async ({}, { onCleanup }) => {
  const server = await startFixture({ TRUSTED_PROXY_HOPS: '1' })
  onCleanup(() => void server.process.stop('SIGKILL'))
  return server
})

describe('the caller’s address', () => {
  test('RL-06 entries that a caller puts in front do not change its address', async ({
    server,
  }) => {
    const fakes = ['', '6.6.6.6, ', '1.1.1.1, 2.2.2.2, ', 'garbage, ', '203.0.113.9, ']
    const addresses = await Promise.all(
      fakes.map(async (fake) => {
        const headers = { 'x-forwarded-for': `${fake}198.51.100.7` }
        const answer = await fetch(`${server.url}/address`, { headers })
        return members(await answer.text())['address']
      }),
    )

    expect(addresses).toEqual(fakes.map(() => '198.51.100.7'))
  })

  const SOCKET = '10.0.0.9'
  rule.for([
    { what: 'no proxy is trusted', header: '1.2.3.4', hops: 0, want: SOCKET },
    { what: 'the header is missing', header: '', hops: 1, want: SOCKET },
    { what: 'the last entry is the caller', header: '9.9.9.9, 1.2.3.4', hops: 1, want: '1.2.3.4' },
    {
      what: 'a balancer stands behind',
      header: '9.9.9.9, 1.2.3.4, 35.0.0.1',
      hops: 2,
      want: '1.2.3.4',
    },
    { what: 'there are fewer entries than proxies', header: '1.2.3.4', hops: 2, want: SOCKET },
    { what: 'a counted entry is garbage', header: '1.2.3.4, unknown', hops: 2, want: SOCKET },
    { what: 'the entry has a port', header: '1.2.3.4:5678', hops: 1, want: '1.2.3.4' },
    {
      what: 'the entry is IPv6 with port',
      header: '[2001:db8::1]:443',
      hops: 1,
      want: '2001:db8:0:0:0:0:0:1',
    },
  ])('is $want where $what', ({ header, hops, want }) => {
    const address = clientAddress(header, `::ffff:${SOCKET}`, hops)

    expect(address).toBe(want)
  })
})

describe('what shares a limit', () => {
  rule(
    'RL-07 a mapped IPv4 address is IPv4, a /64 is one caller, port and zone do not count',
    () => {
      const network = (text: string) => limitNetwork(normaliseAddress(text) ?? 'garbage')

      expect(['::ffff:1.2.3.4', '::FFFF:102:304', '1.2.3.4:80', '1.2.3.4'].map(network)).toEqual(
        Array(4).fill('1.2.3.4'),
      )
      expect(network('2001:db8:1:2::1')).toBe(network('2001:db8:1:2:ffff:ffff:ffff:ffff'))
      expect(network('fe80::1%eth0')).toBe(network('fe80::2'))
      expect(network('2001:db8:1:2::1')).not.toBe(network('2001:db8:1:3::1'))
      expect(network('1.2.3.4')).not.toBe(network('1.2.3.5'))
    },
  )

  rule('what is shown of an address is its /24 or /48', () => {
    expect(displayNetwork('203.0.113.77')).toBe('203.0.113.0/24')
    expect(displayNetwork(normaliseAddress('2001:db8:aa:bb::1') ?? '')).toBe('2001:db8:aa::/48')
  })

  rule('what is no address is none', () => {
    expect(
      ['', 'localhost', '1.2.3', '1.2.3.4.5', '::1::', '1.2.3.4, 5.6.7.8'].map(normaliseAddress),
    ).toEqual(Array(6).fill(undefined))
  })
})
