import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test as base, describe, expect } from 'vitest'
import { ProblemError } from '../../shared/domain/problem.ts'
import { type BodyOptions, openBody } from '../../shared/http/body-stream.ts'
import { members, openRaw, parseAnswer, startFixture } from './fixture-server.ts'

/** UP-14 in a hurry: a byte in 1.5 s, and 1,000 bytes a second after 500 ms. */
const PACE = { silenceMs: 1500, graceMs: 500, minBytesPerSecond: 1000, checkMs: 10 }
const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\n'

type Reader = (body: AsyncIterable<Buffer>) => Promise<number>

const readAll: Reader = async (body) => {
  let bytes = 0
  for await (const chunk of body) bytes += chunk.length
  return bytes
}

function outcomeOf(error: unknown): string {
  return error instanceof ProblemError ? error.code : String(error)
}

const test = base
  .extend('receive', async ({}, { onCleanup }) => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    onCleanup(() => {
      server.closeAllConnections()
      server.close()
    })
    const address = server.address()
    const port = isAddress(address) ? address.port : 0
    return async (
      send: (write: (bytes: string) => void, end: () => void) => void,
      options: Partial<BodyOptions> = {},
      reader = readAll,
    ) => {
      const arrived = once(server, 'request')
      const connection = openRaw(port)
      send(
        (bytes) => void connection.socket.write(bytes),
        () => void connection.socket.destroy(),
      )
      const [request]: IncomingMessage[] = await arrived
      if (request === undefined) throw new Error('no request')
      const body = openBody(request, {
        maxBytes: 1e6,
        tooLarge: 'photo_too_large',
        signal: new AbortController().signal,
        pace: PACE,
        ...options,
      })
      const outcome = await reader(body).then(String, outcomeOf)
      connection.socket.destroy()
      return outcome
    }
  })
  .extend('server', { scope: 'file' }, async ({}, { onCleanup }) => {
    const server = await startFixture()
    onCleanup(() => void server.process.stop('SIGKILL'))
    return server
  })

function isAddress(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === 'object' && address !== null
}

/** Writes a part again and again until the connection is gone. */
function trickle(write: (bytes: string) => void, part: string, everyMs: number): void {
  const timer = setInterval(() => write(part), everyMs)
  setTimeout(() => clearInterval(timer), 5000).unref()
}

describe('a slow body', () => {
  test('UP-14 a trickle and a stall end with 408, a body that was cut or framed twice with 400, one in time is taken', async ({
    receive,
    server,
  }) => {
    const announced = `${HEAD}Content-Length: 5000\r\n\r\n`
    const cut = openRaw(server.port)
    cut.socket.end(
      'POST /file HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer user-token\r\nContent-Type: image/jpeg\r\nContent-Length: 100\r\n\r\nabc',
    )
    const framedTwice = openRaw(server.port)
    framedTwice.socket.write(
      `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    )
    const stalledCall = openRaw(server.port)
    stalledCall.socket.write(
      'POST /quick HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{',
    )

    const stall = await receive((write) => write(`${announced}abc`))
    const drip = await receive((write) => {
      write(announced)
      trickle(write, 'a', 20)
    })
    const steady = await receive((write) => {
      write(announced)
      trickle(write, 'a'.repeat(200), 20)
    })
    const stalled = parseAnswer(await stalledCall.until(/sign_in_again/))
    const answers = await Promise.all(
      [cut, framedTwice].map(async ({ closed }) => parseAnswer(await closed)),
    )

    expect([stall, drip, steady]).toEqual(['request_timeout', 'request_timeout', '5000'])
    expect([
      stalled.status,
      members(stalled.body)['retryable'],
      stalled.headers.get('connection'),
    ]).toEqual([408, true, 'close'])
    expect(answers.map(({ status }) => status)).toEqual([400, 400])
    stalledCall.socket.destroy()
  })

  test('is not to blame for the time in which its reader is busy', async ({ receive }) => {
    const slowly: Reader = async (body) => {
      let bytes = 0
      for await (const chunk of body) {
        bytes += chunk.length
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
      return bytes
    }

    const outcome = await receive(
      (write) => write(`${HEAD}Content-Length: 130000\r\n\r\n${'a'.repeat(130_000)}`),
      { pace: { ...PACE, silenceMs: 300, graceMs: 300, minBytesPerSecond: 100_000 } },
      slowly,
    )

    expect(outcome).toBe('130000')
  })
})

describe('a body', () => {
  test('that is larger than its cap fails at the byte after it', async ({ receive }) => {
    const send = (bytes: number) => (write: (bytes: string) => void) =>
      write(`${HEAD}Content-Length: ${bytes}\r\n\r\n${'a'.repeat(bytes)}`)

    expect(await receive(send(10), { maxBytes: 10 })).toBe('10')
    expect(await receive(send(11), { maxBytes: 10 })).toBe('photo_too_large')
  })

  test('whose client goes away fails', async ({ receive }) => {
    const outcome = await receive((write, end) => {
      write(`${HEAD}Content-Length: 100\r\n\r\nabc`)
      setTimeout(end, 50)
    })

    expect(outcome).toBe('invalid_request')
  })

  test('ends with the reason of its signal', async ({ receive }) => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(new ProblemError('unavailable')), 50)

    const outcome = await receive((write) => write(`${HEAD}Content-Length: 100\r\n\r\nabc`), {
      signal: controller.signal,
    })

    expect(outcome).toBe('unavailable')
  })
})
