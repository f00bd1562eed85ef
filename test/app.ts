/** The running system under test: `npm start` as a child, or single functions by the framework's own CLI. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readRunning } from '../infra/local/running.ts'
import { freePort, type Started, startNode } from './processes.ts'

export type App = {
  /** Base URL of all functions. */
  readonly url: string
  readonly dataDir: string
  /** Environment of the functions and of tools that work on the same servers. */
  readonly environment: Readonly<Record<string, string>>
  readonly process: Started
  /** Ends it and removes its data, unless the data directory was given. */
  close(): Promise<void>
}

export async function newDataDir(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'wowmedia-test-'))
}

/**
 * Limits that would stop a test run, which is one address, opened; a test of a limit sets its own.
 * `X-Forwarded-For` chooses the caller's address.
 */
export const OPEN_LIMITS = {
  TRUSTED_PROXY_HOPS: '1',
  LOGIN_LIMIT_PER_ADDRESS: '100000/minute',
  REGISTRATION_LIMIT_PER_ADDRESS: '100000/minute',
} as const

/** `npm start` on a free port, with its own data directory unless one is given. */
export async function startApp(
  options: { readonly env?: Readonly<Record<string, string>>; readonly dataDir?: string } = {},
): Promise<App> {
  const dataDir = options.dataDir ?? (await newDataDir())
  const started = startNode(['infra/run.js', 'start'], {
    ...OPEN_LIMITS,
    PORT: '0',
    WOWMEDIA_DATA_DIR: dataDir,
    ...options.env,
  })
  const [, url] = await started.line(/^Wowmedia is ready at (http:\S+)$/m)
  const running = await readRunning(dataDir)
  if (url === undefined || running === undefined) throw new Error(started.output())
  return {
    url,
    dataDir,
    environment: running.environment,
    process: started,
    close: async () => {
      await started.stop()
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** Only the two local servers; `environment` is what a function started by hand needs. */
export async function startCloud(dataDir?: string): Promise<Omit<App, 'url'>> {
  const folder = dataDir ?? (await newDataDir())
  const started = startNode(['infra/run.js', 'local-cloud'], {
    WOWMEDIA_DATA_DIR: folder,
    FIRESTORE_PORT: '0',
    STORAGE_PORT: '0',
  })
  await started.line(/^METADATA_SERVER_DETECTION=none$/m)
  const pairs = started.output().matchAll(/^([A-Z_]+)=(.*)$/gm)
  return {
    dataDir: folder,
    environment: Object.fromEntries([...pairs].map(([, name, value]) => [name, value])),
    process: started,
    close: async () => {
      await started.stop()
      if (dataDir === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}

export type FunctionServer = { readonly url: string; readonly process: Started }

/** One function by the Functions Framework's own CLI, straight from its source, `functions/NAME.ts` unless another is named. */
export async function startFunction(
  name: string,
  environment: Readonly<Record<string, string>>,
  source = `functions/${name}.ts`,
): Promise<FunctionServer> {
  const port = await freePort()
  const cli = 'node_modules/@google-cloud/functions-framework/build/src/main.js'
  const args = [cli, `--target=${name}`, `--source=${source}`]
  const started = startNode(args, { ...OPEN_LIMITS, ...environment, PORT: String(port) })
  const url = `http://127.0.0.1:${port}`
  await untilAnswering(url, started)
  return { url, process: started }
}

async function untilAnswering(url: string, started: Started): Promise<void> {
  const gone = started.ended.then(() => Promise.reject(new Error(started.output())))
  gone.catch(() => undefined)
  const asked = async () => {
    for (let attempt = 0; attempt < 300; attempt += 1) {
      const answer = await fetch(url, { method: 'HEAD' }).catch(() => undefined)
      if (answer !== undefined) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`no answer at ${url}:\n${started.output()}`)
  }
  await Promise.race([asked(), gone])
}

export type Answer = {
  readonly status: number
  readonly headers: Headers
  /** The JSON body, `{}` where there is none. */
  readonly body: Readonly<Record<string, unknown>>
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function answerOf(response: Response): Promise<Answer> {
  const received = await response.text()
  const body: unknown = received === '' ? {} : JSON.parse(received)
  if (!isRecord(body)) throw new TypeError('the answer is not a JSON object')
  return { status: response.status, headers: response.headers, body }
}

export type Call = {
  readonly token?: string
  readonly json?: unknown
  readonly body?: Buffer | FormData | string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** One HTTP call, redirects not followed; `url` is a base and `path` starts with a slash. */
export async function call(
  url: string,
  method: string,
  path: string,
  options: Call = {},
): Promise<Answer> {
  const sent = options.json === undefined ? options.body : JSON.stringify(options.json)
  const response = await fetch(`${url}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.json === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(sent === undefined ? {} : { body: sent instanceof Buffer ? new Uint8Array(sent) : sent }),
  })
  return await answerOf(response)
}

/** A string member of an answer; fails the test where it is something else. */
export function text(answer: Answer, member: string): string {
  const value = answer.body[member]
  if (typeof value !== 'string') {
    throw new TypeError(`${member} is no string in ${answer.status} ${JSON.stringify(answer.body)}`)
  }
  return value
}

export type User = {
  readonly username: string
  readonly password: string
  readonly accessToken: string
  readonly refreshToken: string
}

export function randomName(): string {
  return `user-${randomBytes(6).toString('hex')}`
}

/** A fresh user by `POST /registration`; `url` is that of `npm start` or of `register`. */
export async function registerUser(url: string, password = 'correct horse battery'): Promise<User> {
  const username = randomName()
  const answer = await call(url, 'POST', '/registration', { json: { username, password } })
  return {
    username,
    password,
    accessToken: text(answer, 'access_token'),
    refreshToken: text(answer, 'refresh_token'),
  }
}
