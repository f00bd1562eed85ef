/** The fixture function under the framework's own CLI, and a raw socket to it. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test as base, onTestFinished } from 'vitest'
import { freePort, type Started, startNode } from '../processes.ts'

export const CLI = 'node_modules/@google-cloud/functions-framework/build/src/main.js'

export type FixtureServer = {
  readonly port: number
  readonly url: string
  readonly process: Started
}

/** `functions-framework --target=fixture`, listening. */
export async function startFixture(
  environment: Readonly<Record<string, string>> = {},
): Promise<FixtureServer> {
  const port = await freePort()
  const source = 'test/http/fixtures/fixture.ts'
  const started = startNode([CLI, '--target=fixture', `--source=${source}`], {
    ...environment,
    PORT: String(port),
  })
  await started.line(/listening on \S+:\d+/)
  return { port, url: `http://127.0.0.1:${port}`, process: started }
}

/** The same for one test, which may fail before it ends it. */
export async function startForTest(
  environment: Readonly<Record<string, string>> = {},
): Promise<FixtureServer> {
  const server = await startFixture(environment)
  onTestFinished(() => void server.process.stop('SIGKILL'))
  return server
}

/** As it is deployed: JSON log, all interfaces. */
export const DEPLOYED = {
  K_SERVICE: 'fixture',
  NODE_ENV: 'production',
  GOOGLE_CLOUD_PROJECT: 'wowmedia-test',
} as const

/** A test with a fixture server of its file. */
export const test = base.extend('server', { scope: 'file' }, async ({}, { onCleanup }) => {
  const server = await startFixture()
  onCleanup(() => void server.process.stop('SIGKILL'))
  return server
})

export type RawAnswer = {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** All that came, further answers too. */
  readonly text: string
}

export function parseAnswer(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = lines.map((line) => {
    const at = line.indexOf(':')
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const
  })
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1])
  return { status, headers: new Map(headers), body: rest.join('\r\n\r\n'), text }
}

export type RawConnection = {
  readonly socket: Socket
  readonly received: () => string
  /** Resolves once what came matches; rejects when the connection closes before. */
  until(pattern: RegExp): Promise<string>
  readonly closed: Promise<string>
}

export function openRaw(port: number): RawConnection {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => undefined)
  const closed = once(socket, 'end').then(
    () => text,
    () => text,
  )
  const gone = once(socket, 'close').then(() => text)
  void closed.then(() => socket.destroy())
  return {
    socket,
    received: () => text,
    closed: Promise.race([closed, gone]),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (pattern.test(text)) resolve(text)
        }
        socket.on('data', look)
        socket.once('close', () => reject(new Error(`closed after: ${text}`)))
        look()
      }),
  }
}

function isComplete(answer: RawAnswer): boolean {
  const wanted = Number(answer.headers.get('content-length') ?? 'NaN')
  return answer.headers.get('connection') === 'close' && answer.body.length >= wanted
}

/** Sends bytes as they are and reads until the last answer of the connection is there; `true` ends the sending side. */
export async function raw(
  port: number,
  ...parts: readonly (string | Buffer | true)[]
): Promise<RawAnswer> {
  const connection = openRaw(port)
  for (const part of parts) {
    if (part === true) connection.socket.end()
    else connection.socket.write(part)
  }
  connection.socket.on('data', () => {
    if (isComplete(parseAnswer(connection.received()))) connection.socket.destroy()
  })
  return parseAnswer(await connection.closed)
}

/** The members of a JSON text; fails the test where it is no object. */
export function members(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`no JSON object: ${text}`)
  }
  return Object.fromEntries(Object.entries(value))
}
