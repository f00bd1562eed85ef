/**
 * The Firestore client with our deadlines (DATA-04) and our errors. The SDK's own waits are 60 s a call
 * and 600 s in all, so its retries are switched off and a few quick ones are made here.
 */
import {
  type DocumentData,
  type DocumentReference,
  type DocumentSnapshot,
  Firestore,
  type Query,
  type Transaction,
} from '@google-cloud/firestore'
import { ProblemError } from '../domain/problem.ts'

const CALL_MS = 5_000
const TOTAL_MS = 10_000
const ATTEMPTS = 5
const FIRST_WAIT_MS = 60

/** gRPC status codes (google.rpc.Code) that decide what happens next. */
const CODE = {
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  internal: 13,
  unavailable: 14,
} as const

const PASSING: ReadonlySet<number> = new Set([
  CODE.cancelled,
  CODE.unknown,
  CODE.deadlineExceeded,
  CODE.resourceExhausted,
  CODE.aborted,
  CODE.internal,
  CODE.unavailable,
])
const LOST: ReadonlySet<number> = new Set([
  CODE.notFound,
  CODE.alreadyExists,
  CODE.failedPrecondition,
])

export type Database = {
  /** The SDK's client, for references and queries; run them through `read`. Connects on first use. */
  readonly client: () => Firestore
  /** One read RPC within 5 s, tried again on passing errors within 10 s. Throws `unavailable`. */
  read<T>(work: (client: Firestore) => Promise<T>): Promise<T>
  /** The documents in the order of the references and the time they were read at, in one RPC. */
  getAll(...references: readonly DocumentReference[]): Promise<{
    readonly documents: readonly DocumentSnapshot[]
    readonly readAt: Date
  }>
  /**
   * Writes with preconditions, in one RPC: `committed`, or `lost` where a precondition failed. After a lost
   * reply the repeat can lose against its own first commit, so who gets `lost` reads again and looks for
   * its own mark (AUTH-06). The closure may run several times.
   */
  commit(write: (transaction: Transaction) => void): Promise<'committed' | 'lost'>
  /** Reads with locks, then writes; the closure may run several times within 10 s and must be idempotent. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
}

function codeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'number' ? error.code : undefined
}

/** True where a write's precondition did not hold. */
export function isLostRace(error: unknown): boolean {
  return LOST.has(codeOf(error) ?? -1)
}

class DeadlineError extends Error {
  readonly code = CODE.deadlineExceeded
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new DeadlineError('Firestore call too slow')), milliseconds)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function pause(attempt: number): Promise<void> {
  const milliseconds = FIRST_WAIT_MS * 3 ** attempt * (0.5 + Math.random())
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function unavailable(cause: unknown): ProblemError {
  return new ProblemError('unavailable', { retryAfterSeconds: 2, cause })
}

/** The error that ends the attempts, or undefined where another attempt may follow. */
function finalError(error: unknown, attempt: number, endsAt: number): unknown {
  const code = codeOf(error)
  if (error instanceof ProblemError || code === undefined || LOST.has(code)) return error
  const again = PASSING.has(code) && attempt + 1 < ATTEMPTS && performance.now() < endsAt
  return again ? undefined : unavailable(error)
}

async function attempts<T>(callMs: number, work: () => Promise<T>): Promise<T> {
  const endsAt = performance.now() + TOTAL_MS
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await within(Math.max(1, Math.min(callMs, endsAt - performance.now())), work())
    } catch (error) {
      const last = finalError(error, attempt, endsAt)
      if (last !== undefined) throw last
      await pause(attempt)
    }
  }
}

const METHODS = [
  'BatchGetDocuments',
  'Commit',
  'Rollback',
  'RunQuery',
  'RunAggregationQuery',
  'BatchWrite',
  'ListDocuments',
  'ListCollectionIds',
]

/** gax's own settings: each call at most 5 s, and no retry of its own. */
const CLIENT_CONFIG = {
  interfaces: {
    'google.firestore.v1.Firestore': {
      retry_codes: { none: [] },
      retry_params: {
        once: {
          initial_retry_delay_millis: 50,
          retry_delay_multiplier: 1,
          max_retry_delay_millis: 50,
          initial_rpc_timeout_millis: CALL_MS,
          rpc_timeout_multiplier: 1,
          max_rpc_timeout_millis: CALL_MS,
          total_timeout_millis: CALL_MS,
        },
      },
      methods: Object.fromEntries(
        METHODS.map((method) => [
          method,
          { timeout_millis: CALL_MS, retry_codes_name: 'none', retry_params_name: 'once' },
        ]),
      ),
    },
  },
}

export type DatabaseAddress = {
  readonly GOOGLE_CLOUD_PROJECT: string
  readonly FIRESTORE_DATABASE: string
}

export function openDatabase(address: DatabaseAddress): Database {
  let opened: Firestore | undefined
  const client = () => {
    opened ??= new Firestore({
      projectId: address.GOOGLE_CLOUD_PROJECT,
      databaseId: address.FIRESTORE_DATABASE,
      ignoreUndefinedProperties: true,
      clientConfig: CLIENT_CONFIG,
      // Without it a refused stream is tried three times over 7 s, whatever its code.
      gaxServerStreamingRetries: true,
    })
    return opened
  }
  return {
    client,
    read: (work) => attempts(CALL_MS, () => work(client())),
    getAll: (...references) =>
      attempts(CALL_MS, async () => {
        const documents = await client().getAll(...references)
        const [first] = documents
        if (first === undefined) throw new TypeError('getAll needs a reference')
        return { documents, readAt: first.readTime.toDate() }
      }),
    commit: (write) =>
      attempts(CALL_MS, () => writeOnce(client(), write)).catch((error: unknown) => {
        if (isLostRace(error)) return 'lost'
        throw error
      }),
    transaction: (work) =>
      attempts(TOTAL_MS, () => client().runTransaction(work, { maxAttempts: 1 })),
  }
}

/** A transaction without a read is one Commit without a transaction id, and obeys `CLIENT_CONFIG`, which a WriteBatch does not. */
async function writeOnce(client: Firestore, write: (transaction: Transaction) => void) {
  await client.runTransaction(
    async (transaction) => {
      write(transaction)
    },
    { maxAttempts: 1 },
  )
  return 'committed' as const
}

export type { DocumentData, DocumentReference, DocumentSnapshot, Firestore, Query, Transaction }
