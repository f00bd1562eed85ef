import { rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import path from 'node:path'
import { answer } from './answer.ts'
import { Blobs } from './blobs.ts'
import { openBucketRows } from './bucket-rows.ts'
import type { Cloud } from './cloud.ts'
import { takeDirectory } from './data-directory.ts'
import { openDatabase } from './database.ts'
import { Hasher } from './hasher.ts'
import { LiveUploads } from './live-uploads.ts'
import { ObjectStore } from './object-store.ts'
import { PACE, type Pace } from './pump.ts'
import { openSessionRows, SESSION_MICROS } from './session-rows.ts'

export type StorageOptions = {
  /** Where everything is kept; made where it is missing. One server at a time may use it. */
  dataDir: string
  /** A loopback address to bind, 127.0.0.1 where absent. */
  host?: string
  /** 0, or absent, picks a free one. */
  port?: number
  /** Client e-mail to public key (PEM) of those who may sign addresses. */
  signers?: ReadonlyMap<string, string>
  /** Gets a line for each error nobody foresaw; absent means standard error. */
  log?: (line: string) => void
  /** A sender slower than this is cut off with 408; absent means 1 KiB a minute. */
  pace?: Pace
}

/** One request that was answered; `at` is the end of it, milliseconds since 1970. */
export type StorageRequest = { method: string; url: string; status: number; at: number }

export type StorageServer = {
  readonly host: string
  readonly port: number
  /** `http://host:port`, for `apiEndpoint` or `STORAGE_EMULATOR_HOST`. */
  readonly url: string
  /** Number of left-over uploads and blobs that this start deleted. */
  readonly swept: number
  /** The latest answered requests, oldest first, at most 10 000: for tests that count calls. */
  readonly requests: readonly StorageRequest[]
  /** Ends within a second, also with clients connected. */
  close(): Promise<void>
}

const LOOPBACK = ['127.0.0.1', '::1', 'localhost']
const MAX_REQUESTS = 10_000
/** Clients get this long to finish after `close`. */
const GRACE_MS = 500
const HOUR_MS = 3600 * 1000

function openCloud(options: StorageOptions, directory: string): Cloud {
  const db = openDatabase(path.join(directory, 'storage.db'))
  return {
    db,
    objects: new ObjectStore(db, new Blobs(directory)),
    buckets: openBucketRows(db),
    sessions: openSessionRows(db),
    live: new LiveUploads(),
    hasher: new Hasher(),
    signers: options.signers ?? new Map(),
    pace: options.pace ?? PACE,
    log: options.log ?? ((line) => process.stderr.write(`${line}\n`)),
  }
}

/** Forgets sessions after a week, with what they had stored. */
async function expireSessions(cloud: Cloud): Promise<void> {
  const before = Date.now() * 1000 - SESSION_MICROS
  for (const id of cloud.sessions.removeOlderThan(before)) {
    await rm(cloud.objects.blobs.uploadPath(id), { force: true })
  }
}

/** Deletes what a crash left: uploads without a session that still runs, blobs without an object. */
async function sweep(cloud: Cloud): Promise<number> {
  await expireSessions(cloud)
  const uploads = cloud.objects.blobs.sweepUploads((id) => {
    const session = cloud.sessions.find(id)
    return session !== undefined && session.result === undefined
  })
  return uploads + (await cloud.objects.sweepBlobs())
}

function listen(server: Server, port: number, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, host, resolve)
  return promise
}

/** Lets requests finish for half a second, then closes their connections. */
async function shut(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS)
  await promise
  clearTimeout(timer)
}

/** Limits of a connection: no limit on a whole upload, see `pace`, but on everything before it. */
const HTTP_LIMITS = {
  maxHeaderSize: 32 * 1024,
  headersTimeout: 20_000,
  requestTimeout: 0,
  keepAliveTimeout: 75_000,
}
/** A connection on which nothing moves, a reader that stopped reading for instance. */
const STALLED_MS = 600_000

/** The HTTP server, its request log, and the requests that it works on. */
function openServer(cloud: Cloud, address: () => string) {
  const requests: StorageRequest[] = []
  const running = new Set<Promise<void>>()
  const server = createServer(HTTP_LIMITS, (req: IncomingMessage, res: ServerResponse) => {
    const asked = { method: req.method ?? '', url: req.url ?? '' }
    res.once('close', () => {
      if (requests.length === MAX_REQUESTS) requests.shift()
      requests.push({ ...asked, status: res.statusCode, at: Date.now() })
    })
    const done = answer(cloud, req, res, address()).finally(() => running.delete(done))
    running.add(done)
  })
  server.setTimeout(STALLED_MS)
  return { server, requests, running }
}

function addressOf(server: Server, host: string): { port: number; url: string } {
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return { port, url: `http://${host.includes(':') ? `[${host}]` : host}:${port}` }
}

/**
 * Starts a Cloud Storage server (JSON API, signed addresses) on files below `dataDir`. What an
 * earlier process acknowledged is there again. Rejects where the directory or the port is taken,
 * where the host is no loopback address, and on Google Cloud (`K_SERVICE`).
 */
export async function startStorage(options: StorageOptions): Promise<StorageServer> {
  const host = options.host ?? '127.0.0.1'
  if (!LOOPBACK.includes(host)) throw new Error(`"${host}" is no loopback address.`)
  if (process.env['K_SERVICE']) throw new Error('This server does not run on Google Cloud.')
  const directory = path.resolve(options.dataDir)
  const lock = takeDirectory(directory)
  const cloud = openCloud(options, directory)
  let url = ''
  const { server, requests, running } = openServer(cloud, () => url)
  const release = () => {
    cloud.db.close()
    lock.release()
  }
  const swept = await sweep(cloud)
  try {
    await listen(server, options.port ?? 0, host)
  } catch (error) {
    release()
    throw error
  }
  const own = addressOf(server, host)
  url = own.url
  const expiry = setInterval(() => expireSessions(cloud).catch(() => undefined), HOUR_MS).unref()
  const close = async () => {
    clearInterval(expiry)
    await shut(server)
    await Promise.allSettled(running)
    await cloud.hasher.close()
    release()
  }
  return { host, ...own, swept, requests, close }
}
