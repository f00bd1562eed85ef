import { connect } from 'node:net'
import { test as base, describe, expect } from 'vitest'
import { freePort, startNode } from '../processes.ts'
import {
  CLI,
  DEPLOYED,
  type FixtureServer,
  members,
  openRaw,
  parseAnswer,
  startFixture,
  startForTest,
} from './fixture-server.ts'

const FIXTURE = ['--target=fixture', '--source=test/http/fixtures/fixture.ts']

/** Resolves with whether something listens there; 127.0.0.2 is another address of the same machine. */
function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** Sends a request that takes so long, and says when the server has begun with it. */
async function slow(server: FixtureServer, ms: number) {
  const connection = openRaw(server.port)
  connection.socket.write(`GET /slow?ms=${ms} HTTP/1.1\r\nHost: a\r\n\r\n`)
  await fetch(`${server.url}/hello`)
  return connection
}

/** One as on a developer's machine and one as deployed, for what changes neither. */
const test = base.extend('servers', { scope: 'file' }, async ({}, { onCleanup }) => {
  const [local, deployed] = await Promise.all([startFixture(), startFixture(DEPLOYED)])
  onCleanup(() => {
    for (const server of [local, deployed]) void server.process.stop('SIGKILL')
  })
  return { local, deployed }
})

describe('the process', () => {
  test('has exactly the framework’s four listeners taken away, and ours instead', async ({
    servers: { local },
  }) => {
    const state = members(await (await fetch(`${local.url}/process`)).text())

    expect(local.process.output()).toContain('framework_listeners_removed=4')
    expect(state['listeners']).toEqual([1, 1, 2])
  })

  test('listens on the loopback alone unless it is deployed', async ({
    servers: { local, deployed },
  }) => {
    const named = await startForTest({ HOST: '127.0.0.2' })
    const reached = await Promise.all(
      [local, named, deployed].map(async ({ port }) => [
        await accepts('127.0.0.1', port),
        await accepts('127.0.0.2', port),
      ]),
    )
    await named.process.stop()

    expect(reached).toEqual([
      [true, false],
      [false, true],
      [true, true],
    ])
  })

  test('that is deployed says so by HSTS', async ({ servers: { deployed } }) => {
    const answer = await fetch(`${deployed.url}/nothing`)

    expect(answer.headers.get('strict-transport-security')).toBe(
      'max-age=31536000; includeSubDomains',
    )
  })

  test('finishes two requests after SIGTERM, accepts no third and ends with 0', async () => {
    const server = await startForTest()
    const [first, second] = [await slow(server, 600), await slow(server, 900)]

    const ended = server.process.stop('SIGTERM')
    await expect.poll(() => accepts('127.0.0.1', server.port)).toBe(false)
    const answers = [parseAnswer(await first.closed), parseAnswer(await second.closed)]

    expect(answers.map(({ status, headers }) => [status, headers.get('connection')])).toEqual([
      [200, 'close'],
      [200, 'close'],
    ])
    expect(await ended).toBe(0)
  })

  test.for([
    {
      what: 'a PORT that is none',
      env: { PORT: 'http' },
      line: /^PORT must be a whole number from 0 to 65535$/m,
    },
    {
      what: 'a wrong setting',
      env: { PORT: '0', TRUSTED_PROXY_HOPS: 'x' },
      line: /^TRUSTED_PROXY_HOPS must be a whole number from 0 to 8$/m,
    },
    {
      what: 'a deployment without project',
      env: { PORT: '0', K_SERVICE: 'a' },
      line: /^GOOGLE_CLOUD_PROJECT is not set; it must be a project id$/m,
    },
  ])('ends with one line and 1 where it is given $what', async ({ env, line }) => {
    const started = startNode([CLI, ...FIXTURE], env)

    const code = await started.ended

    expect([code, started.output()]).toEqual([1, expect.stringMatching(line)])
    expect(started.output()).not.toMatch(/^ {4}at /m)
  })

  test('ends with one line and 1 where its port is taken', async ({ servers: { local } }) => {
    const second = startNode([CLI, ...FIXTURE], { PORT: String(local.port) })
    const code = await second.ended

    expect([code, second.output().trim()]).toEqual([
      1,
      expect.stringMatching(/^cannot listen: .*EADDRINUSE.*$/),
    ])
  })
})

describe('the framework’s own options', () => {
  test('do not reach a caller: ignored routes, timeouts and execution ids', async () => {
    const port = await freePort()
    const started = startNode(
      [CLI, ...FIXTURE, '--log-execution-id', '--ignored-routes=/hello', '--timeout=30'],
      {
        PORT: String(port),
      },
    )
    await started.line(/listening on/)

    const answers = await Promise.all(
      ['/hello', '/favicon.ico'].map((path) => fetch(`http://127.0.0.1:${port}${path}`)),
    )
    const problem = members((await answers[1]?.text()) ?? '')
    await started.stop()

    expect(answers.map(({ status }) => status)).toEqual([200, 404])
    expect(problem['code']).toBe('not_found')
  })
})
