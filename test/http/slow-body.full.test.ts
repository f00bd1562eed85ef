import { expect } from 'vitest'
import { openRaw, parseAnswer, test } from './fixture-server.ts'

test('a byte a second, or none for 30 s, ends an upload with 408 by the real clock', {
  timeout: 120_000,
}, async ({ server }) => {
  const head =
    'POST /big HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\nContent-Length: 5000\r\n\r\n'
  const [dripping, silent, steady] = [
    openRaw(server.port),
    openRaw(server.port),
    openRaw(server.port),
  ]
  for (const one of [dripping, silent, steady]) one.socket.write(head)
  const timer = setInterval(() => dripping.socket.write('a'), 1000)
  silent.socket.write('a')
  steady.socket.write('a'.repeat(5000))

  const done = await steady.until(/"bytes":5000/)
  const refused = await Promise.all([dripping, silent].map((one) => one.until(/sign_in_again/)))
  clearInterval(timer)
  for (const one of [dripping, silent, steady]) one.socket.destroy()

  expect(parseAnswer(done).status).toBe(201)
  expect(refused.map((one) => parseAnswer(one).status)).toEqual([408, 408])
})
