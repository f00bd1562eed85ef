import type { Micros } from './document.ts'
import type { Locks } from './locks.ts'
import type { Consistency } from './messages.ts'
import type { Planner, Scope } from './plan.ts'
import { invalid, unimplemented } from './status.ts'
import type { Store, View } from './store.ts'
import type { Transaction, Transactions } from './transactions.ts'

/** Where a request reads: in a transaction, just begun or not, or outside. */
export type Seat = {
  readonly transaction: Transaction | undefined
  /** The id, when this request began the transaction. */
  readonly began: Buffer | undefined
}

/** Runs reads under the rules of the transaction they belong to. */
export class Sessions {
  readonly #store: Store
  readonly #locks: Locks
  readonly #transactions: Transactions
  readonly #indexCheck: (scope: Scope, planner: Planner) => void

  constructor(
    store: Store,
    locks: Locks,
    transactions: Transactions,
    indexCheck: (scope: Scope, planner: Planner) => void,
  ) {
    this.#store = store
    this.#locks = locks
    this.#transactions = transactions
    this.#indexCheck = indexCheck
  }

  /** Throws FAILED_PRECONDITION when the query needs an index that is not listed. */
  requireIndex(scope: Scope, planner: Planner): void {
    this.#indexCheck(scope, planner)
  }

  seat(database: string, { transaction, begin, readTime }: Consistency): Seat {
    if (readTime || begin?.readTime)
      throw unimplemented('Reads at a past time are not served here.')
    if (begin !== undefined) {
      const begun = this.#transactions.begin(database, begin.readOnly)
      return { transaction: begun, began: begun.id }
    }
    if (transaction === undefined || transaction.length === 0)
      return { transaction: undefined, began: undefined }
    return { transaction: this.#transactions.find(transaction, database), began: undefined }
  }

  /** A read-write transaction locks `keys` before it reads; a read-only one reads its snapshot; others read the present. */
  async read<T>(
    { transaction, began }: Seat,
    keys: readonly string[],
    signal: AbortSignal,
    read: (view: View, now: Micros) => T,
  ): Promise<T> {
    if (transaction === undefined) return read(this.#store, this.#store.now())
    const { owner, snapshot } = transaction
    if (snapshot !== undefined) return read(snapshot, transaction.began)
    try {
      return await this.#transactions.during(transaction, () =>
        this.#locks.run({ owner, keys, hold: true, signal }, () =>
          read(this.#store, this.#store.now()),
        ),
      )
    } catch (error) {
      if (began !== undefined) this.#transactions.end(transaction)
      throw error
    }
  }

  /** The transaction of a commit. Throws INVALID_ARGUMENT or ABORTED. */
  transaction(id: Buffer, database: string): Transaction | undefined {
    return id.length === 0 ? undefined : this.#transactions.find(id, database)
  }

  refuseReadOnly(transaction: Transaction | undefined): void {
    if (transaction?.snapshot !== undefined) throw invalid('A read-only transaction cannot write.')
  }
}
