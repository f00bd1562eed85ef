import fc from 'fast-check'
import { expect } from 'vitest'
import { members, parseAnswer, type RawAnswer, raw, test } from './fixture-server.ts'

const RUNS = process.env['FULL'] === '1' ? 2000 : 200
const INSIDE = /at .*:\d+:\d+|node_modules|\/shared\/|\/functions\/|Error:|HPE_/

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/)
const text = fc.string({ unit: 'binary', maxLength: 60 })
const method = fc.oneof(fc.constantFrom('GET', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PUT'), token)
const path = fc.oneof(
  fc.constantFrom(
    '/hello',
    '/login',
    '/file',
    '/photos/a',
    '/mine',
    '/page',
    '*',
    '/hello?page_size=1',
  ),
  fc.webPath(),
  text,
)
const header = fc.oneof(
  fc.constantFrom(
    'Content-Type: application/json',
    'Content-Type: multipart/form-data; boundary=b',
    'Content-Type: image/png',
    'Content-Encoding: gzip',
    'Content-Length: 5',
    'Content-Length: -1',
    'Transfer-Encoding: chunked',
    'Authorization: Bearer user-token',
    'Authorization: Basic abc',
    'Accept: nothing',
    'Expect: 100-continue',
    'Idempotency-Key: ;',
    'Upgrade: websocket',
    'X-Request-Id: \u0001',
  ),
  fc.tuple(token, text).map(([name, value]) => `${name}: ${value}`),
)
const body = fc.oneof(
  fc.json(),
  fc.constantFrom(
    '',
    'hello',
    '{"username":"a","password":"b"}',
    '--b\r\n\r\n',
    '5\r\nhello\r\n0\r\n\r\n',
  ),
  text,
)
const message = fc.record({ method, path, headers: fc.array(header, { maxLength: 5 }), body })

/** The last answer; what came before it may be `100 Continue`. */
function lastOf(answer: RawAnswer): RawAnswer {
  const at = answer.text.lastIndexOf('HTTP/1.1 ')
  return parseAnswer(answer.text.slice(Math.max(at, 0)))
}

function isProblem(answer: RawAnswer, sentMethod: string): boolean {
  const typed = answer.headers.get('content-type') === 'application/problem+json'
  const empty = sentMethod === 'HEAD' && answer.body === ''
  return typed && (empty || members(answer.body)['status'] === answer.status)
}

test('whatever is sent, the answer is ours, shows nothing of the inside and leaves no rejection', {
  timeout: 120_000,
}, async ({ server }) => {
  await fc.assert(
    fc.asyncProperty(message, async (sent) => {
      const lines = [
        `${sent.method} ${sent.path} HTTP/1.1`,
        'Host: a',
        'Connection: close',
        ...sent.headers,
      ]
      const answer = lastOf(
        await raw(
          server.port,
          Buffer.from(`${lines.join('\r\n')}\r\n\r\n${sent.body}`, 'latin1'),
          true,
        ),
      )

      const fits = answer.status < 400 || isProblem(answer, sent.method)
      return answer.status < 500 && fits && !INSIDE.test(answer.text)
    }),
    { numRuns: RUNS },
  )
  const state = members(await (await fetch(`${server.url}/process`)).text())

  expect(state['rejections']).toBe(0)
})
