import { randomBytes } from 'node:crypto'
import type { Micros } from './document.ts'
import type { Locks, Owner } from './locks.ts'
import type { Snapshot } from './snapshot.ts'
import { invalid, StatusError } from './status.ts'
import type { Store } from './store.ts'

/** A snapshot holds back the log's truncation, nobody's work; Firestore drops it after a minute, too. */
const SNAPSHOT_IDLE_MS = 60_000
const MAX_DROPPED = 10_000

export type Transaction = {
  readonly id: Buffer
  readonly database: string
  readonly owner: Owner
  /** Read-only transactions read this; read-write ones read the present under locks. */
  readonly snapshot: Snapshot | undefined
  /** The time that reads of a snapshot show. */
  readonly time: Micros
}

type Entry = { readonly transaction: Transaction; timer: NodeJS.Timeout; busy: number }

/** The open transactions of all databases, with the end of those whose client has gone. */
export class Transactions {
  readonly #store: Store
  readonly #locks: Locks
  readonly #idleMs: number
  readonly #open = new Map<string, Entry>()
  readonly #dropped = new Set<string>()

  constructor(store: Store, locks: Locks, idleMs: number) {
    this.#store = store
    this.#locks = locks
    this.#idleMs = idleMs
  }

  begin(database: string, readOnly: boolean): Transaction {
    const transaction = {
      id: randomBytes(16),
      database,
      owner: { held: new Set<string>() },
      snapshot: readOnly ? this.#store.snapshot() : undefined,
      time: this.#store.now(),
    }
    const timer = this.#idleTimer(transaction)
    this.#open.set(transaction.id.toString('latin1'), { transaction, timer, busy: 0 })
    return transaction
  }

  /** Throws INVALID_ARGUMENT for an unknown or finished one, ABORTED for one that was dropped while idle. */
  find(id: Buffer, database: string): Transaction {
    const entry = this.#open.get(id.toString('latin1'))
    if (entry?.transaction.database === database) return entry.transaction
    if (this.#dropped.has(id.toString('latin1')))
      throw new StatusError('ABORTED', 'The transaction was idle for too long.')
    throw invalid('Transaction is invalid or closed.')
  }

  /** Runs a request of the transaction; the idle time starts again afterwards. ABORTED ends the transaction. */
  async during<T>(transaction: Transaction, work: () => Promise<T>): Promise<T> {
    const entry = this.#open.get(transaction.id.toString('latin1'))
    if (entry === undefined) return work()
    entry.busy += 1
    clearTimeout(entry.timer)
    try {
      return await work()
    } catch (error) {
      if (error instanceof StatusError && error.code === 10) this.end(transaction)
      throw error
    } finally {
      entry.busy -= 1
      if (entry.busy === 0 && this.#open.has(transaction.id.toString('latin1')))
        entry.timer = this.#idleTimer(transaction)
    }
  }

  end(transaction: Transaction): void {
    const entry = this.#open.get(transaction.id.toString('latin1'))
    if (entry === undefined) return
    this.#open.delete(transaction.id.toString('latin1'))
    clearTimeout(entry.timer)
    transaction.snapshot?.close()
    this.#locks.release(transaction.owner)
  }

  close(): void {
    for (const { transaction } of [...this.#open.values()]) this.end(transaction)
  }

  #idleTimer(transaction: Transaction): NodeJS.Timeout {
    const limit = transaction.snapshot === undefined ? this.#idleMs : SNAPSHOT_IDLE_MS
    return setTimeout(() => this.#drop(transaction), limit).unref()
  }

  #drop(transaction: Transaction): void {
    this.#dropped.add(transaction.id.toString('latin1'))
    const [oldest] = this.#dropped
    if (this.#dropped.size > MAX_DROPPED && oldest !== undefined) this.#dropped.delete(oldest)
    this.end(transaction)
  }
}
