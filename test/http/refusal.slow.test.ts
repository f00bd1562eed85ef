import { expect } from 'vitest'
import { members, openRaw, parseAnswer, test } from './fixture-server.ts'

test('a client that never stops sending has its answer, then its connection is closed with little of the rest read', async ({
  server,
}) => {
  const connection = openRaw(server.port)
  const block = Buffer.alloc(64 * 1024)
  const write = () => {
    while (connection.socket.writable && connection.socket.write(block));
  }
  connection.socket.on('drain', write)
  connection.socket.write(
    'POST /file HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\nContent-Length: 20000000\r\n\r\n',
  )
  write()

  const answer = parseAnswer(await connection.closed)
  const state = members(await (await fetch(`${server.url}/process`)).text())

  expect([answer.status, answer.headers.get('connection')]).toEqual([401, 'close'])
  expect(answer.body).toHaveLength(Number(answer.headers.get('content-length')))
  expect(state['most_read']).toBeGreaterThan(1_000_000)
  expect(state['most_read']).toBeLessThan(3_000_000)
})
