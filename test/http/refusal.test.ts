import { describe, expect } from 'vitest'
import { members, openRaw, parseAnswer, test } from './fixture-server.ts'

const TWO_GB = 2_000_000_000
const upload = (headers: string) =>
  `POST /file HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\n${headers}\r\n`

/** Writes on and on, however the server answers, until the answer is there. */
async function flood(port: number, head: string) {
  const connection = openRaw(port)
  const block = Buffer.alloc(64 * 1024)
  const write = () => {
    while (connection.socket.writable && connection.socket.write(block));
  }
  connection.socket.write(head)
  connection.socket.on('drain', write)
  write()
  const text = await connection.until(/sign_in_again/)
  connection.socket.destroy()
  return parseAnswer(text)
}

async function stateOf(url: string) {
  return members(await (await fetch(`${url}/process`)).text())
}

describe('a refused upload', () => {
  test('UP-01 is answered before its body is read, and little of the rest is taken', async ({
    server,
  }) => {
    await stateOf(server.url)

    const noToken = await flood(server.port, upload(`Content-Length: 20000000\r\n`))
    const chunked = await flood(
      server.port,
      upload('Transfer-Encoding: chunked\r\n').concat('7fffffff\r\n'),
    )
    const tooLarge = await flood(
      server.port,
      upload(`Authorization: Bearer user-token\r\nContent-Length: ${TWO_GB}\r\n`),
    )
    const state = await stateOf(server.url)

    const seen = [noToken, chunked, tooLarge].map((answer) => [
      answer.status,
      members(answer.body)['code'],
      answer.headers.get('connection'),
    ])
    expect(seen).toEqual([
      [401, 'token_missing', 'close'],
      [401, 'token_missing', 'close'],
      [413, 'photo_too_large', 'close'],
    ])
    expect(state['most_read']).toBeLessThan(3_000_000)
  })

  test.for([
    { what: 'too large', headers: `Content-Length: ${TWO_GB}\r\n`, want: 413 },
    { what: 'without token', headers: 'Content-Length: 1000\r\n', want: 401 },
    {
      what: 'compressed',
      headers: 'Content-Encoding: gzip\r\nContent-Length: 1000\r\n',
      want: 415,
    },
  ])(
    'that waits for 100 Continue and is $what gets $want and never 100',
    async ({ headers, want }, { server }) => {
      const connection = openRaw(server.port)
      connection.socket.write(upload(`Expect: 100-continue\r\n${headers}`))

      const text = await connection.until(/sign_in_again/)
      connection.socket.destroy()

      expect(parseAnswer(text).status).toBe(want)
      expect(text).not.toContain('100 Continue')
    },
  )

  test('announced by its head alone is refused in the order method, path, headers, token', async ({
    server,
  }) => {
    const statusOf = async (head: string) => {
      const connection = openRaw(server.port)
      connection.socket.write(
        `${head} HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: ${TWO_GB}\r\n\r\n`,
      )
      const text = await connection.until(/sign_in_again/)
      connection.socket.destroy()
      return parseAnswer(text).status
    }

    const statuses = await Promise.all(['PUT /file', 'POST /files', 'POST /file'].map(statusOf))

    expect(statuses).toEqual([405, 404, 415])
  })

  test('leaves its connection open where its body was already in', async ({ server }) => {
    const connection = openRaw(server.port)
    connection.socket.write(upload('Content-Length: 4\r\n').concat('abcd'))
    await connection.until(/token_missing/)

    connection.socket.write('GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    const text = await connection.closed

    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200'])
  })
})

describe('an accepted upload', () => {
  test('that waits for 100 Continue gets it once its token was checked', async ({ server }) => {
    const connection = openRaw(server.port)
    connection.socket.write(
      upload(
        'Authorization: Bearer user-token\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n',
      ),
    )
    await connection.until(/100 Continue/)
    connection.socket.write('abcd')

    const text = await connection.closed

    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201/)
    expect(text).toContain('"bytes":4')
  })

  test.for([
    { sent: 'key-1', want: 'key-1' },
    { sent: '"key-1"', want: 'key-1' },
    { sent: 'a b', want: undefined },
    { sent: 'a'.repeat(65), want: undefined },
  ])('with Idempotency-Key $sent hands on $want', async ({ sent, want }, { server }) => {
    const headers = {
      authorization: 'Bearer user-token',
      'content-type': 'image/png',
      'idempotency-key': sent,
    }
    const answer = await fetch(`${server.url}/file`, { method: 'POST', headers, body: 'abc' })

    const { key } = members(await answer.text())

    expect([answer.status, key]).toEqual(want === undefined ? [400, undefined] : [201, want])
  })
})
