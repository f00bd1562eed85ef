import { gzipSync } from 'node:zlib'
import { describe, expect } from 'vitest'
import { members, raw, test } from './fixture-server.ts'

const json = (body: string, headers = '') =>
  `POST /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
const GOOD = '{"username":"kartik","password":"correct horse"}'

describe('JSON bodies', () => {
  const deep = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`
  const text = (body: string) => Buffer.from(body)
  const refusals: readonly {
    what: string
    type?: string
    headers?: string
    body: string | Buffer
    want: string
  }[] = [
    {
      what: 'form',
      type: 'application/x-www-form-urlencoded',
      body: 'username=a',
      want: '415 unsupported_media_type',
    },
    { what: 'text', type: 'text/plain', body: GOOD, want: '415 unsupported_media_type' },
    {
      what: 'json in latin1',
      type: 'application/json; charset=latin1',
      body: GOOD,
      want: '415 unsupported_media_type',
    },
    {
      what: 'a suffix',
      type: 'application/vnd.api+json',
      body: GOOD,
      want: '415 unsupported_media_type',
    },
    {
      what: 'gzip of 100 MB',
      headers: 'Content-Encoding: gzip\r\n',
      body: gzipSync(Buffer.alloc(100_000_000)),
      want: '415 content_encoding_refused',
    },
    {
      what: 'identity and gzip',
      headers: 'Content-Encoding: identity, gzip\r\n',
      body: GOOD,
      want: '415 content_encoding_refused',
    },
    {
      what: '16 KiB and one byte',
      body: `{"username":"${'a'.repeat(16_384)}"}`.slice(0, 16_385),
      want: '413 body_too_large',
    },
    { what: 'no body', body: '', want: '400 malformed_json' },
    {
      what: 'half an object',
      body: '{"username":"a","password":"hunter22"',
      want: '400 malformed_json',
    },
    { what: 'a list', body: '[]', want: '400 malformed_json' },
    { what: 'a text', body: '"a"', want: '400 malformed_json' },
    { what: 'two objects', body: '{}{}', want: '400 malformed_json' },
    { what: 'six levels', body: deep(6), want: '400 malformed_json' },
    { what: 'five levels of what is not known', body: deep(5), want: '400 invalid_request' },
    {
      what: 'a duplicate',
      body: '{"username":"a","username":"b","password":"c"}',
      want: '400 malformed_json',
    },
    {
      what: 'a duplicate in another spelling',
      body: '{"username":"a","user\\u006eame":"b","password":"c"}',
      want: '400 malformed_json',
    },
    { what: 'a byte order mark', body: `\uFEFF${GOOD}`, want: '400 malformed_json' },
    {
      what: 'bytes that are no UTF-8',
      body: Buffer.concat([text('{"username":"'), Buffer.from([0xc3]), text('","password":"a"}')]),
      want: '400 malformed_json',
    },
    { what: 'a NUL', body: '{"username":"a\0","password":"b"}', want: '400 malformed_json' },
    {
      what: 'a NUL as an escape',
      body: '{"username":"a\\u0000","password":"b"}',
      want: '400 invalid_request',
    },
    {
      what: 'half a surrogate pair',
      body: '{"username":"\\ud800","password":"b"}',
      want: '400 invalid_request',
    },
    {
      what: 'an unknown member',
      body: '{"username":"a","password":"b","role":"admin"}',
      want: '400 invalid_request',
    },
    {
      what: '__proto__',
      body: '{"username":"a","password":"b","__proto__":{}}',
      want: '400 invalid_request',
    },
    { what: 'a number', body: '{"username":1,"password":"b"}', want: '400 invalid_request' },
  ]

  test('HTTP-02 whatever is not one plain object of 16 KiB at most is refused with its own code', async ({
    server,
  }) => {
    const answers = await Promise.all(
      refusals.map(async ({ what, type = 'application/json', headers = '', body, want }) => {
        const head = `POST /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${type}\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`
        const answer = await raw(server.port, head, body)
        return { what, want, got: `${answer.status} ${members(answer.body)['code']}` }
      }),
    )

    expect(answers.filter(({ want, got }) => want !== got)).toEqual([])
  })

  test('16 KiB to the byte, chunked or with its length, and charset utf-8 are taken', async ({
    server,
  }) => {
    const body = GOOD.padEnd(16_384, ' ')
    const length = await raw(server.port, json(body))
    const chunked = await raw(
      server.port,
      `POST /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: Application/JSON; charset="UTF-8"\r\nTransfer-Encoding: chunked\r\n\r\n4000\r\n${body}\r\n0\r\n\r\n`,
    )
    const over = await raw(
      server.port,
      `POST /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n4001\r\n${body} \r\n0\r\n\r\n`,
    )

    expect([length.status, chunked.status, over.status]).toEqual([200, 200, 413])
  })

  test('an empty body declared as JSON is served where no body is needed', async ({ server }) => {
    const calls = ['GET /hello', 'POST /logout', 'POST /token', 'DELETE /photos/a']
    const empty = calls.map(
      (call) =>
        `${call} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n`,
    )

    const answers = await Promise.all(empty.map((call) => raw(server.port, call)))

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 204])
  })
})
