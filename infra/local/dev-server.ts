/** `npm start`: both local servers, then every function on one port, through the same serve layer as in production. */
import { listenForAll } from '../../shared/http/serve.ts'
import { dataDirectory, localEnvironment } from './environment.ts'
import { loadFunctions } from './functions.ts'
import { localIndexes } from './indexes.ts'
import { createLocalKeys } from './keys.ts'
import { openLocalCloud } from './local-cloud.ts'
import { removeRunning, writeRunning } from './running.ts'
import { startSweepTimer } from './sweep-timer.ts'
import { TIME_TO_LIVE } from './time-to-live.ts'

export type DevServer = {
  /** Base URL of all functions. */
  readonly url: string
  readonly dataDir: string
  /** Stops accepting, finishes what runs (8 s at most), closes both servers. */
  close(): Promise<void>
}

/** Variables that would lead the SDKs to somewhere else than the local servers. */
const MISLEADING = ['FIRESTORE_PREFER_REST', 'K_SERVICE', 'GOOGLE_CLOUD_QUOTA_PROJECT']

function prepareEnvironment(values: Readonly<Record<string, string>>): void {
  for (const name of MISLEADING) delete process.env[name]
  Object.assign(process.env, values)
}

export async function startDevServer(): Promise<DevServer> {
  const dataDir = dataDirectory()
  const bucket = process.env['PHOTO_BUCKET'] || 'wowmedia-photos'
  const cloud = await openLocalCloud({
    dataDir,
    bucket,
    indexes: await localIndexes(),
    ttl: TIME_TO_LIVE,
  })
  try {
    await createLocalKeys(dataDir)
    const environment = localEnvironment(cloud, dataDir)
    prepareEnvironment(environment)
    await loadFunctions()
    const host = process.env['HOST'] || '127.0.0.1'
    const server = await listenForAll({ host, port: portOf(process.env['PORT']) })
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${server.port}`
    await writeRunning(dataDir, { pid: process.pid, url, environment })
    const sweeps = startSweepTimer(environment)
    return { url, dataDir, close: () => closeAll([server, sweeps, cloud], dataDir) }
  } catch (error) {
    await cloud.close()
    throw error
  }
}

async function closeAll(parts: readonly { close(): Promise<void> }[], dataDir: string) {
  for (const part of parts) await part.close()
  await removeRunning(dataDir)
}

/** A setting of `npm start` that is wrong; the message is the one line for the person who started it. */
export class StartError extends Error {}

function portOf(text: string | undefined): number {
  if (text === undefined || text === '') return 8080
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new StartError('PORT must be a whole number from 0 to 65535')
}
