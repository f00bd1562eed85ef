import { join } from 'node:path'
import { readRunAggregation } from './aggregation-message.ts'
import { takeDirectory } from './data-directory.ts'
import { type Call, GrpcServer, type Method } from './grpc.ts'
import { declaredShapes, type IndexList, parseIndexList } from './index-list.ts'
import { getDocument, listCollectionIds, listDocuments } from './listing.ts'
import { Locks } from './locks.ts'
import { readBatchGet } from './messages.ts'
import { readRunQuery } from './query-message.ts'
import { batchGet, runAggregation, runQuery } from './reads.ts'
import { Sessions } from './sessions.ts'
import { StatusError } from './status.ts'
import { Store } from './store.ts'
import { Sweeper } from './time-to-live.ts'
import { Transactions } from './transactions.ts'
import { WriteMethods } from './writes.ts'

export type FirestoreOptions = {
  /** Holds `firestore.db`; made when missing. Served by one process at a time. */
  dataDir: string
  /** A loopback address; 127.0.0.1 when absent. */
  host?: string
  /** 0 or absent takes a free one. */
  port?: number
  /** A parsed `firestore.indexes.json`: queries that need an index it lacks are refused. Absent refuses none. */
  indexes?: unknown
  /** Fields whose timestamp ends a document's life. */
  ttl?: readonly { collectionGroup: string; field: string }[]
  /** After this many idle milliseconds a transaction loses its locks; 5000 when absent. */
  idleMs?: number
  /** The database grows no further than this many bytes, as on a full disk; absent means no limit of its own. */
  maxBytes?: number
  /** One line for each unforeseen error; standard error when absent. */
  log?: (line: string) => void
}

export type FirestoreServer = {
  readonly host: string
  readonly port: number
  /** Ends running calls within a second and releases the data directory. */
  close(): Promise<void>
  /** Lets the next `n` commits of transactions fail with ABORTED. */
  abortNext(n: number): void
  /** Deletes documents whose TTL field lies at or before `now`; resolves with their number. */
  sweep(now: Date): Promise<number>
  /** The latest requests, oldest first, at most 10 000: RPC name and milliseconds since 1970. */
  readonly requests: readonly { method: string; at: number }[]
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])
const SERVICE = '/google.firestore.v1.Firestore/'
const MAX_REQUESTS = 10_000
const IDLE_MS = 5000
const SWEEP_MS = 60_000

/**
 * Serves Cloud Firestore's gRPC API on the loopback, durable in `dataDir`.
 * Throws when the directory or the port is taken, the host is not a loopback address, or it is
 * started inside Cloud Run.
 */
export async function startFirestore(options: FirestoreOptions): Promise<FirestoreServer> {
  const host = options.host ?? '127.0.0.1'
  if (process.env['K_SERVICE'] !== undefined)
    throw new Error('The local Firestore server does not start inside Cloud Run.')
  if (!LOOPBACK.has(host)) throw new Error(`"${host}" is not a loopback address.`)
  const list = options.indexes === undefined ? undefined : parseIndexList(options.indexes)
  const directory = takeDirectory(options.dataDir)
  try {
    const declared = (kind: string) => (list === undefined ? [] : declaredShapes(list, kind))
    const store = new Store(join(options.dataDir, 'firestore.db'), declared, options.maxBytes)
    return await serve({ ...options, host }, store, list, directory)
  } catch (error) {
    directory.release()
    throw error
  }
}

async function serve(
  options: FirestoreOptions & { host: string },
  store: Store,
  list: IndexList | undefined,
  directory: { release(): void },
): Promise<FirestoreServer> {
  const log = options.log ?? ((line: string) => console.error(line))
  const locks = new Locks()
  const transactions = new Transactions(store, locks, options.idleMs ?? IDLE_MS)
  const sessions = new Sessions(store, locks, transactions, list)
  const writes = new WriteMethods(store, locks, transactions, sessions)
  const sweeper = new Sweeper(store, locks, options.ttl ?? [])
  const requests: { method: string; at: number }[] = []
  const methods = methodsOf(store, sessions, writes, requests)
  const grpc = new GrpcServer(methods, (path, error) => toStatus(path, error, log))
  const port = await grpc.listen(options.host, options.port ?? 0).catch((error: unknown) => {
    store.close()
    throw error
  })
  const sweep = (now: Date) => sweeper.sweep(now)
  const timer = setInterval(() => {
    sweep(new Date()).catch((error: unknown) => log(`sweep: ${String(error)}`))
  }, SWEEP_MS).unref()
  const end = async () => {
    clearInterval(timer)
    sweeper.close()
    await grpc.close()
    transactions.close()
    store.close()
    directory.release()
  }
  let ended: Promise<void> | undefined
  const close = () => {
    ended ??= end()
    return ended
  }
  const abortNext = (n: number) => {
    writes.aborts = n
  }
  return { host: options.host, port, requests, abortNext, sweep, close }
}

function methodsOf(
  store: Store,
  sessions: Sessions,
  writes: WriteMethods,
  requests: { method: string; at: number }[],
): ReadonlyMap<string, Method> {
  const methods: Record<string, Method> = {
    Commit: (request, call) => writes.commit(request, call),
    BatchWrite: (request, call) => writes.batchWrite(request, call),
    BeginTransaction: (request, call) => writes.begin(request, call),
    Rollback: (request, call) => writes.rollback(request, call),
    BatchGetDocuments: (request, call) => batchGet(store, sessions, readBatchGet(request), call),
    GetDocument: (request, call) => getDocument(store, sessions, request, call),
    RunQuery: (request, call) => runQuery(store, sessions, readRunQuery(request), call),
    RunAggregationQuery: (request, call) =>
      runAggregation(store, sessions, readRunAggregation(request), call),
    ListDocuments: (request, call) => listDocuments(store, request, call),
    ListCollectionIds: (request, call) => listCollectionIds(store, request, call),
  }
  const logged = Object.entries(methods).map(([method, run]): [string, Method] => [
    SERVICE + method,
    (request: Buffer, call: Call) => {
      requests.push({ method, at: Date.now() })
      if (requests.length > MAX_REQUESTS) requests.splice(0, MAX_REQUESTS / 10)
      return run(request, call)
    },
  ])
  return new Map(logged)
}

/** Whatever nobody expected is INTERNAL, and in the log. */
function toStatus(path: string, error: unknown, log: (line: string) => void): StatusError {
  if (error instanceof StatusError) return error
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  log(`${path}: ${stack}`)
  return new StatusError('INTERNAL', 'The local Firestore server failed; its log says why.')
}
