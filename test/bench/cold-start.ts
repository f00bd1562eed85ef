/**
 * Process start to first 200 of each bundle, beside the framework with an empty function, in turn.
 * No compile cache. Each answer of a function that uses Firestore needed a read of it.
 */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join, resolve } from 'node:path'
import { buildFunction } from '../../infra/build.ts'
import { FUNCTIONS } from '../../infra/manifest.ts'
import {
  OPEN_LIMITS,
  randomName,
  registerUser,
  startCloud,
  startFunction,
  type User,
} from '../app.ts'
import { freePort, type Started, startNode } from '../processes.ts'
import type { Row } from './image.ts'

const CLI = resolve('node_modules/@google-cloud/functions-framework/build/src/main.js')
const EMPTY = `require('@google-cloud/functions-framework').http('empty', (request, response) => response.status(200).send(''));`
const POLL_MS = 2

/** A PNG of one pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
)
const DECLARED = {
  content_type: 'image/png',
  bytes: PIXEL.length,
  sha256: createHash('sha256').update(PIXEL).digest('hex'),
}

type Probe = {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}
type Subject = {
  readonly name: string
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  readonly probe: Probe
}

function ask(port: number, probe: Probe): Promise<number | undefined> {
  return new Promise((settle) => {
    const { method, path, headers } = probe
    const sent = request({ host: '127.0.0.1', port, method, path, agent: false, headers })
    sent.on('response', (answer) => {
      answer.resume()
      answer.on('end', () => settle(answer.statusCode))
    })
    sent.on('error', () => settle(undefined))
    sent.end(probe.body)
  })
}

async function answered(port: number, probe: Probe, started: Started): Promise<void> {
  let ended = false
  void started.ended.then(() => {
    ended = true
  })
  for (;;) {
    const status = await ask(port, probe)
    if (status !== undefined && status >= 200 && status < 300) return
    if (status !== undefined || ended) throw new Error(`${status}\n${started.output()}`)
    await new Promise((wait) => setTimeout(wait, POLL_MS))
  }
}

/** Milliseconds from the start of the process to the end of its first good answer. */
async function coldStart({ name, folder, environment, probe }: Subject): Promise<number> {
  const port = await freePort()
  const from = performance.now()
  const started = startNode(
    [CLI, `--target=${name}`],
    { NODE_ENV: 'production', ...environment, PORT: String(port) },
    folder,
  )
  try {
    await answered(port, probe, started)
    return performance.now() - from
  } finally {
    await started.stop('SIGKILL')
  }
}

function json(path: string, body: unknown, token?: string): Probe {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const text = JSON.stringify(body)
  const headers = { 'content-type': 'application/json', ...authorization }
  return { method: 'POST', path, headers, body: text }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

type Prepare = () => Promise<Probe>

/** A call of each function that ends well on a fresh process; what it needs is made before, not timed. */
function probes(registerUrl: string, admin: User): Readonly<Record<string, Prepare>> {
  const fresh = () => registerUser(registerUrl)
  const bearer = ({ accessToken }: User) => ({ authorization: `Bearer ${accessToken}` })
  const get = (path: string) => async () => ({ method: 'GET', path, headers: bearer(admin) })
  return {
    welcome: get('/'),
    jwks: get('/.well-known/jwks.json'),
    register: async () =>
      json('/registration', { username: randomName(), password: admin.password }),
    login: async () => {
      // A user of its own: the 21st login would sign out the admin's first session.
      const { username, password } = await fresh()
      return json('/login', { username, password })
    },
    refresh: async () => json('/token/refresh', { refresh_token: (await fresh()).refreshToken }),
    'logout-access': async () => ({
      method: 'POST',
      path: '/logout/access',
      headers: bearer(await fresh()),
    }),
    'logout-refresh': async () =>
      json('/logout/refresh', { refresh_token: (await fresh()).refreshToken }),
    sessions: get('/sessions'),
    account: get('/account'),
    users: get('/users'),
    photos: get('/photos'),
    upload: async () => ({
      method: 'POST',
      path: '/file',
      headers: { ...bearer(admin), 'content-type': 'image/png' },
      body: PIXEL,
    }),
    uploads: async () => json('/uploads', DECLARED, admin.accessToken),
    sweep: async () => ({ method: 'POST', path: '/' }),
  }
}

async function emptyFunction(folder: string): Promise<void> {
  await mkdir(folder)
  await writeFile(join(folder, 'index.js'), EMPTY)
  await writeFile(join(folder, 'package.json'), '{"name":"empty","main":"index.js"}')
}

async function grantAdmin(user: User, environment: Readonly<Record<string, string>>) {
  const granted = startNode(['infra/run.js', 'admin', 'grant', user.username], environment)
  if ((await granted.ended) !== 0) throw new Error(granted.output())
}

async function measure(
  names: readonly string[],
  rounds: number,
  start: (name: string) => Promise<number>,
): Promise<Row[]> {
  const ratios = new Map<string, number[]>(names.map((name) => [name, []]))
  const times = new Map<string, number[]>([...names, 'empty'].map((name) => [name, []]))
  for (let round = -1; round < rounds; round += 1) {
    const empty = await start('empty')
    if (round >= 0) times.get('empty')?.push(empty)
    for (const name of names) {
      const time = await start(name)
      if (round < 0) continue
      times.get(name)?.push(time)
      ratios.get(name)?.push(time / empty)
    }
  }
  const other = median(times.get('empty') ?? [])
  return names.map((name) => {
    const ours = median(times.get(name) ?? [])
    const ratio = median(ratios.get(name) ?? [])
    return { name: `cold start of ${name}`, ours, other, unit: 'ms', ratio }
  })
}

/**
 * Medians of `rounds` starts each; `ratio` is the median of the pairs. The whole takes about
 * half a second for each function and round.
 */
export async function benchColdStart(
  rounds = 20,
  names: readonly string[] = FUNCTIONS.map(({ name }) => name),
): Promise<Row[]> {
  const folder = await mkdtemp(join(resolve('node_modules'), '.wowmedia-cold-'))
  const cloud = await startCloud()
  const environment = { ...OPEN_LIMITS, ...cloud.environment, UPLOAD_LIMIT: '100000/minute' }
  const register = await startFunction('register', environment)
  try {
    await emptyFunction(join(folder, 'empty'))
    for (const spec of FUNCTIONS) if (names.includes(spec.name)) await buildFunction(spec, folder)
    const admin = await registerUser(register.url)
    if (names.includes('users'))
      await grantAdmin(admin, { ...cloud.environment, WOWMEDIA_DATA_DIR: cloud.dataDir })
    const prepared = probes(register.url, admin)
    const start = async (name: string) => {
      const probe = await prepared[name]?.()
      return await coldStart({
        name,
        folder: join(folder, name),
        environment,
        probe: probe ?? { method: 'GET', path: '/' },
      })
    }
    return await measure(names, rounds, start)
  } finally {
    await register.process.stop()
    await cloud.close()
    await rm(folder, { recursive: true, force: true })
  }
}
