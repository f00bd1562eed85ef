import { describe, expect } from 'vitest'
import { openRaw, parseAnswer, raw, test } from './fixture-server.ts'

describe('limits of HTTP itself', () => {
  const LIMITS = [
    {
      what: 'a head of 15 KiB',
      send: `GET /hello HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(15_000)}\r\nConnection: close\r\n\r\n`,
      want: 200,
    },
    {
      what: 'a head of 17 KiB',
      send: `GET /hello HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(17_000)}\r\nConnection: close\r\n\r\n`,
      want: 431,
    },
    {
      what: 'a head of 100 KiB',
      send: `GET /hello HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`,
      want: 431,
    },
    {
      what: '100 lines',
      send: `GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${'X: 1\r\n'.repeat(98)}\r\n`,
      want: 200,
    },
    {
      what: '101 lines',
      send: `GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${'X: 1\r\n'.repeat(99)}\r\n`,
      want: 431,
    },
    {
      what: 'an address of 2 KiB',
      send: `GET /${'a'.repeat(2047)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      want: 404,
    },
    {
      what: 'one of 2 KiB and a byte',
      send: `GET /${'a'.repeat(2048)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      want: 414,
    },
    {
      what: 'one of 50 KiB',
      send: `GET /${'a'.repeat(50_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
      want: 414,
    },
    {
      what: 'two Host lines',
      send: 'GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n',
      want: 400,
    },
    { what: 'no Host', send: 'GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n', want: 400 },
    {
      what: 'two Authorization lines',
      send: 'GET /mine HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer user-token\r\nAuthorization: Bearer user-token\r\nConnection: close\r\n\r\n',
      want: 400,
    },
    {
      what: 'length and chunks at once',
      send: 'POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      want: 400,
    },
    {
      what: 'two lengths',
      send: 'POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n',
      want: 400,
    },
    {
      what: 'a method that nobody knows',
      send: 'FOO /hello HTTP/1.1\r\nHost: a\r\n\r\n',
      want: 400,
    },
    {
      what: 'an expectation that nobody knows',
      send: 'GET /hello HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nConnection: close\r\n\r\n',
      want: 200,
    },
  ]

  test('HTTP-06 heads, lines, addresses and Host are bounded, and a head that never ends is 408', async ({
    server,
  }) => {
    const slow = openRaw(server.port)
    slow.socket.write('GET /hello HTTP/1.1\r\nHost: a\r\n')

    const answers = await Promise.all(
      LIMITS.map(async ({ what, send, want }) => ({
        what,
        want,
        got: (await raw(server.port, send)).status,
      })),
    )

    expect(answers.filter(({ want, got }) => want !== got)).toEqual([])
    expect(parseAnswer(await slow.closed).status).toBe(408)
  })
})
