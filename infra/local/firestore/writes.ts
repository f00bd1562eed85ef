import { applyWrite, type CheckedWrite, checkWrite, type WriteResult } from './commit.ts'
import { type Location, type Micros, writeMicros } from './document.ts'
import type { Call } from './grpc.ts'
import type { Locks } from './locks.ts'
import { readCommit, readOptions, readTransactionRequest } from './messages.ts'
import { checkDatabase } from './names.ts'
import type { Sessions } from './sessions.ts'
import { invalid, StatusError, unimplemented } from './status.ts'
import type { Store } from './store.ts'
import type { Transaction, Transactions } from './transactions.ts'
import { writeValue } from './value.ts'
import { Reader } from './wire.ts'
import { Writer } from './wire-writer.ts'

/** A write needs its documents, and every query that could see them, free of other transactions. */
export function writeLocks(locations: readonly Location[]): { keys: string[]; within: string[] } {
  const within = new Set<string>()
  let last: Location | undefined
  for (const location of locations) {
    const { database, kind } = location
    if (database === last?.database && location.collection === last.collection) continue
    last = location
    within.add(`collection ${database}/${location.collection}`)
    within.add(`group ${database}/${kind}`)
    within.add(`all ${database}`)
  }
  return { keys: locations.map(({ place }) => `doc ${place}`), within: [...within] }
}

function writeResult(w: Writer, { updated, results }: WriteResult): void {
  if (updated !== undefined) writeMicros(w, 1, updated)
  for (const value of results) w.message(2, () => writeValue(w, value))
}

/** Commit, BatchWrite and the life of transactions. */
export class WriteMethods {
  /** How many of the next transaction commits fail with ABORTED. */
  aborts = 0
  readonly #store: Store
  readonly #locks: Locks
  readonly #transactions: Transactions
  readonly #sessions: Sessions

  constructor(store: Store, locks: Locks, transactions: Transactions, sessions: Sessions) {
    this.#store = store
    this.#locks = locks
    this.#transactions = transactions
    this.#sessions = sessions
  }

  async commit(buffer: Buffer, call: Call): Promise<void> {
    const request = readCommit(buffer)
    checkDatabase(request.database)
    const transaction = this.#sessions.transaction(request.transaction, request.database)
    const { results, time } = await this.#within(transaction, async () => {
      const writes = request.writes.map((write) => checkWrite(this.#store, request.database, write))
      return this.#apply(writes, transaction, call)
    })
    await call.send(commitAnswer(results, time))
  }

  /** Whatever comes of it, a commit ends its transaction. */
  async #within<T>(transaction: Transaction | undefined, work: () => Promise<T>): Promise<T> {
    if (transaction === undefined) return work()
    try {
      return await this.#transactions.during(transaction, work)
    } finally {
      this.#transactions.end(transaction)
    }
  }

  async #apply(
    writes: readonly CheckedWrite[],
    transaction: Transaction | undefined,
    call: Call,
  ): Promise<{ results: WriteResult[]; time: Micros }> {
    if (transaction !== undefined && this.aborts > 0) {
      this.aborts -= 1
      throw new StatusError('ABORTED', 'Aborted as the test asked.')
    }
    if (writes.length === 0) return { results: [], time: this.#store.now() }
    if (transaction?.snapshot !== undefined) throw invalid('A read-only transaction cannot write.')
    const request = {
      owner: transaction?.owner,
      ...writeLocks(writes.map(({ location }) => location)),
      hold: false,
      caller: call,
    }
    const { result, time } = await this.#locks.run(request, () =>
      this.#store.commit((changes, at) => writes.map((write) => applyWrite(changes, write, at))),
    )
    return { results: result, time }
  }

  /** Each write by itself, with a status of its own; a document may occur once. */
  async batchWrite(buffer: Buffer, call: Call): Promise<void> {
    const request = readCommit(buffer)
    checkDatabase(request.database)
    const names = new Set(request.writes.map(({ name }) => name))
    if (names.size < request.writes.length)
      throw invalid('A document may be written only once in a batch write.')
    const checked = request.writes.map((write) =>
      attempt(() => checkWrite(this.#store, request.database, write)),
    )
    const locations = checked.flatMap((write) =>
      write instanceof StatusError ? [] : [write.location],
    )
    const locks = writeLocks(locations)
    const outcomes = await this.#locks.run(
      { owner: undefined, ...locks, hold: false, caller: call },
      () =>
        this.#store.commit((changes, at) =>
          checked.map((write) =>
            write instanceof StatusError ? write : attempt(() => applyWrite(changes, write, at)),
          ),
        ),
    )
    await call.send(batchAnswer(outcomes.result, outcomes.time))
  }

  async begin(buffer: Buffer, call: Call): Promise<void> {
    const { database, second } = readTransactionRequest(buffer)
    checkDatabase(database)
    const options = readOptions(new Reader(second))
    if (options.readTime) throw unimplemented('Reads at a past time are not served here.')
    const { id } = this.#transactions.begin(database, options.readOnly)
    await call.send(new Writer().bytes(1, id).finish())
  }

  async rollback(buffer: Buffer, call: Call): Promise<void> {
    const { database, second } = readTransactionRequest(buffer)
    this.#transactions.end(this.#transactions.find(second, database))
    await call.send(Buffer.alloc(0))
  }
}

/** Nearly all results are the commit's time and nothing else: those are encoded once. */
function commitAnswer(results: readonly WriteResult[], time: Micros): Buffer {
  const usual = new Writer(32)
  writeResult(usual, { updated: time, results: [] })
  const usualBytes = usual.finish()
  const w = new Writer(64 + results.length * 20)
  for (const result of results)
    if (result.updated === time && result.results.length === 0) w.bytes(1, usualBytes)
    else w.message(1, () => writeResult(w, result))
  writeMicros(w, 2, time)
  return w.finish()
}

/** An expected refusal as a value; anything else still throws and undoes the whole batch. */
function attempt<T>(work: () => T): T | StatusError {
  try {
    return work()
  } catch (error) {
    if (error instanceof StatusError) return error
    throw error
  }
}

function batchAnswer(outcomes: readonly (WriteResult | StatusError)[], time: Micros): Buffer {
  const w = new Writer()
  for (const outcome of outcomes) {
    const result = outcome instanceof StatusError ? { updated: undefined, results: [] } : outcome
    const updated = outcome instanceof StatusError ? undefined : (result.updated ?? time)
    w.message(1, () => writeResult(w, { ...result, updated }))
  }
  for (const outcome of outcomes)
    w.message(2, () => {
      if (outcome instanceof StatusError)
        w.int64(1, BigInt(outcome.code)).string(2, outcome.message)
    })
  return w.finish()
}
