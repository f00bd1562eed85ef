import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, realpathSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Firestore } from '@google-cloud/firestore'
import { type FirestoreOptions, startFirestore } from '../../infra/local/firestore/server.ts'

/** A Firestore to hold against the contract; `allow` names the matrix rows where it may differ. */
export type Target = {
  readonly name: 'embedded' | 'real emulator'
  readonly host: string
  readonly allow: ReadonlySet<string>
  close(): Promise<void>
}

/** Rows of the matrix in which the real emulator behaves otherwise, on purpose (embedded-servers.md 2.8). */
export const REAL_DIFFERENCES = [
  'D01',
  'E07',
  'E12',
  'F61',
  'F63',
  'F66',
  'G07',
  'G12',
  'G15',
  'G26',
  'G32',
] as const

// The SDK otherwise looks for Google's metadata server, for seconds where a network drops packets.
process.env['METADATA_SERVER_DETECTION'] = 'none'

/** An SDK client that needs no environment variable and no credentials. */
export function connect(
  host: string,
  settings: { projectId?: string; databaseId?: string; useBigInt?: boolean } = {},
): Firestore {
  return new Firestore({ projectId: 'demo-contract', host, ssl: false, ...settings })
}

export async function temporaryDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'wowmedia-firestore-'))
}

export async function openEmbedded(options: Partial<FirestoreOptions> = {}): Promise<Target> {
  const dataDir = await temporaryDirectory()
  const server = await startFirestore({ dataDir, ...options })
  return {
    name: 'embedded',
    host: `127.0.0.1:${server.port}`,
    allow: new Set(),
    close: async () => {
      await server.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

function javaVersion(): number | undefined {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8', timeout: 30_000 })
  const version = /version "(?:1\.)?(\d+)/u.exec(java.stderr ?? '')?.[1]
  return version === undefined ? undefined : Number(version)
}

const JAR = 'platform/cloud-firestore-emulator/cloud-firestore-emulator.jar'

/** `gcloud` is slow to answer and usually lies in its own SDK. */
function besideGcloud(): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const gcloud = join(folder, 'gcloud')
    if (!existsSync(gcloud)) continue
    const jar = join(dirname(realpathSync(gcloud)), '..', JAR)
    if (existsSync(jar)) return jar
  }
  return undefined
}

function emulatorJar(): string | undefined {
  const given = process.env['FIRESTORE_EMULATOR_JAR'] ?? besideGcloud()
  if (given !== undefined) return given
  const gcloud = spawnSync('gcloud', ['info', '--format=value(installation.sdk_root)'], {
    encoding: 'utf8',
    timeout: 30_000,
  })
  return gcloud.status === 0 ? join(gcloud.stdout.trim(), JAR) : undefined
}

/** Where the real emulator is, or the reason why it cannot run here. `CONTRACT_REAL=1` makes that an error. */
export function realEmulator(): { jar: string } | { reason: string } {
  const found = findReal()
  if ('reason' in found && process.env['CONTRACT_REAL'] === '1')
    throw new Error(`CONTRACT_REAL=1, yet ${found.reason}`)
  return found
}

function findReal(): { jar: string } | { reason: string } {
  const java = javaVersion()
  if (java === undefined) return { reason: 'java not found' }
  if (java < 11) return { reason: `java ${java} < 11` }
  const jar = emulatorJar()
  if (jar === undefined) return { reason: 'gcloud not found' }
  if (!existsSync(jar))
    return { reason: 'jar not installed: gcloud components install cloud-firestore-emulator' }
  return { jar }
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}

async function answers(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1')
  const { promise, resolve } = Promise.withResolvers<boolean>()
  socket.on('connect', () => resolve(true))
  socket.on('error', () => resolve(false))
  const open = await promise
  socket.destroy()
  return open
}

/** Starts the real emulator on a free port; resolves when it answers its first read. */
export async function openReal(jar: string): Promise<Target> {
  const port = await freePort()
  const main = 'com.google.cloud.datastore.emulator.firestore.CloudFirestore'
  const child = spawn('java', ['-cp', jar, main, '--host=127.0.0.1', `--port=${port}`], {
    stdio: 'ignore',
  })
  for (let tries = 0; !(await answers(port)); tries += 1) {
    if (tries > 200 || child.exitCode !== null) throw new Error('The real emulator did not start.')
    await sleep(100)
  }
  const host = `127.0.0.1:${port}`
  const db = connect(host)
  await db.doc('warm/up').get()
  await db.terminate()
  return {
    name: 'real emulator',
    host,
    allow: new Set(REAL_DIFFERENCES),
    close: async () => {
      const gone = once(child, 'exit')
      child.kill()
      await gone
    },
  }
}
