import { describe, expect } from 'vitest'
import { members, openRaw, raw, test } from './fixture-server.ts'

describe('exactly one answer', () => {
  test('HTTP-09 error, deadline and abort race to one answer, and no rejection is left over', async ({
    server,
  }) => {
    const late = await raw(
      server.port,
      'GET /late HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    )
    const cut = openRaw(server.port)
    cut.socket.write(
      'POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"user',
    )
    const short = openRaw(server.port)
    short.socket.end(
      'POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"user',
    )
    const torn = await raw(
      server.port,
      'POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    )
    cut.socket.destroy()
    const broken = await raw(server.port, 'GET /export/broken HTTP/1.1\r\nHost: a\r\n\r\n')
    const failing = await raw(
      server.port,
      'GET /export/failing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    )
    const garbage = await raw(
      server.port,
      'GET /slow?ms=50 HTTP/1.1\r\nHost: a\r\n\r\nrubbish\r\n\r\n',
    )
    await server.process.line(/\/late 503/)

    const answersIn = (text: string) => text.match(/HTTP\/1\.1 \d{3}/g)
    expect(answersIn(late.text)).toEqual(['HTTP/1.1 503', 'HTTP/1.1 200'])
    expect(answersIn(await short.closed)).toEqual(['HTTP/1.1 400'])
    expect(answersIn(torn.text)).toEqual(['HTTP/1.1 400'])
    expect(answersIn(broken.text)).toEqual(['HTTP/1.1 200'])
    expect(answersIn(failing.text)).toEqual(['HTTP/1.1 500'])
    expect(answersIn(garbage.text)).toEqual(['HTTP/1.1 200'])
    const state = members(await (await fetch(`${server.url}/process`)).text())
    expect(state['rejections']).toBe(0)
  })

  test('a client’s request id is kept where it has the form of one', async ({ server }) => {
    const idFor = async (offered: string) =>
      (await fetch(`${server.url}/hello`, { headers: { 'x-request-id': offered } })).headers.get(
        'x-request-id',
      )

    expect(await idFor('abcd-1234')).toBe('abcd-1234')
    expect(await idFor('short')).toMatch(/^[0-9a-f-]{36}$/)
    expect(await idFor('a"b;c d e f g')).toMatch(/^[0-9a-f-]{36}$/)
  })
})
