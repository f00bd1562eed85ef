import { once } from 'node:events'
import { test as base, expect } from 'vitest'
import { DEPLOYED, members, openRaw, raw, startFixture, startForTest } from './fixture-server.ts'

const SECRETS = [
  'hunter22-my-secret',
  'user-token',
  'broken-token-of-somebody',
  'query-secret',
  'page_size=31337',
]

const test = base.extend('run', { scope: 'file' }, async () => {
  const server = await startFixture(DEPLOYED)
  const send = (path: string, headers: readonly string[], body = '') =>
    raw(
      server.port,
      `${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers.map((line) => `${line}\r\n`).join('')}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
  const json = [
    'Content-Type: application/json',
    'X-Cloud-Trace-Context: 0123456789abcdef0123456789abcdef/1;o=1',
  ]
  const credentials = '{"username":"kartik","password":"hunter22-my-secret"}'
  await send('POST /login', [...json, 'X-Request-Id: login-0001'], credentials)
  await send('POST /login', json, credentials.slice(0, -1))
  await send('POST /fail', json, credentials)
  await send('GET /mine', ['Authorization: Bearer user-token'])
  await send('GET /mine', ['Authorization: Bearer broken'])
  await send('GET /hello?page_size=31337&access_token=query-secret', [])
  await send('GET /hello', [
    `User-Agent: a\\n{"severity":"ALERT"}${'x'.repeat(1000)}`,
    'X-Request-Id: agent-0001',
  ])
  await send(`GET /${'%0a%22'.repeat(100)}`, [])
  await raw(server.port, 'RUBBISH\r\n\r\n')
  const gone = openRaw(server.port)
  gone.socket.write('GET /slow?ms=60000 HTTP/1.1\r\nHost: a\r\nX-Request-Id: gone-0001\r\n\r\n')
  await once(gone.socket, 'connect')
  const still = await send('GET /address', ['X-Forwarded-For: 1.2.3.4, 203.0.113.9'])
  gone.socket.destroy()
  await server.process.line(/gone-0001/)
  const code = await server.process.stop()
  const output = server.process.output()
  return { code, output, still, lines: output.trimEnd().split('\n') }
})

test('OPS-02 every line of a run is one JSON object with severity, event, request id, trace and outcome', ({
  run,
}) => {
  const entries = run.lines.map(members)

  const known = ['INFO', 'NOTICE', 'WARNING', 'ERROR', 'ALERT']
  expect(entries.filter(({ severity }) => !known.includes(String(severity)))).toEqual([])
  expect(
    entries.filter(
      ({ message, event }) => typeof message !== 'string' || typeof event !== 'string',
    ),
  ).toEqual([])
  const login = entries.filter(({ requestId }) => requestId === 'login-0001')
  expect(login).toEqual([
    expect.objectContaining({
      severity: 'INFO',
      event: 'login_succeeded',
      uid: 'u1',
      network: '127.0.0.0/24',
    }),
    {
      severity: 'INFO',
      message: 'POST /login 200',
      event: 'request',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      requestId: 'login-0001',
      'logging.googleapis.com/trace':
        'projects/wowmedia-test/traces/0123456789abcdef0123456789abcdef',
      function: 'fixture',
      httpRequest: {
        requestMethod: 'POST',
        requestUrl: '/login',
        status: 200,
        latency: expect.stringMatching(/^\d+\.\d+s$/),
      },
    },
  ])
  const mine = entries.filter(({ message }) => message === 'GET /mine 200')
  expect(mine).toEqual([expect.objectContaining({ event: 'request', uid: expect.any(String) })])
  const statuses = entries.flatMap(({ httpRequest }) =>
    httpRequest === undefined ? [] : [members(JSON.stringify(httpRequest))['status']],
  )
  expect(statuses.toSorted()).toEqual([200, 200, 200, 200, 400, 400, 400, 404, 499, 500, 500])
})

test('HTTP-08 the log holds no body, token, query or line of a caller’s making', ({ run }) => {
  const agent = run.lines.filter((line) => line.includes('agent-0001'))

  expect(SECRETS.filter((secret) => run.output.includes(secret))).toEqual([])
  expect(run.output).toContain('no database for [removed]')
  expect(run.lines.filter((line) => line.includes('"severity":"ALERT"'))).toEqual([])
  expect(agent).toHaveLength(1)
  const request = members(JSON.stringify(members(agent[0] ?? '')['httpRequest']))
  expect(Buffer.byteLength(String(request['userAgent']))).toBeLessThanOrEqual(256)
})

test('locally each request is one readable line without colours where nobody looks', async () => {
  const server = await startForTest()

  await raw(server.port, 'GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  await raw(server.port, 'GET /mine HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  await server.process.stop()

  const lines = server.process.output().split('\n')
  expect(lines.filter((line) => line.includes('GET /'))).toEqual([
    expect.stringMatching(/^\d\d:\d\d:\d\d GET \/hello 200 \d+ ms$/),
    expect.stringMatching(/^\d\d:\d\d:\d\d GET \/mine 401 \d+ ms token_missing$/),
  ])
})
