import type { Micros } from './document.ts'
import type { FieldPath } from './field-path.ts'
import type { IndexList } from './index-list.ts'
import type { Caller, Locks } from './locks.ts'
import type { Consistency } from './messages.ts'
import type { NormalQuery } from './normal-form.ts'
import type { Scope } from './plan.ts'
import { requireIndex } from './required-index.ts'
import { CODES, StatusError, unimplemented } from './status.ts'
import type { Store, View } from './store.ts'
import type { Transaction, Transactions } from './transactions.ts'

/** Where a request reads: in a transaction, just begun or not, or outside. */
export type Seat = {
  readonly transaction: Transaction | undefined
  /** The id, when this request began the transaction. */
  readonly began: Buffer | undefined
}

type Read<T> = (view: View, now: Micros) => T

/** Runs reads under the rules of the transaction they belong to. */
export class Sessions {
  readonly #store: Store
  readonly #locks: Locks
  readonly #transactions: Transactions
  readonly #indexes: IndexList | undefined

  constructor(
    store: Store,
    locks: Locks,
    transactions: Transactions,
    indexes: IndexList | undefined,
  ) {
    this.#store = store
    this.#locks = locks
    this.#transactions = transactions
    this.#indexes = indexes
  }

  /** Throws FAILED_PRECONDITION when the query needs an index that is not listed. */
  requireIndex(scope: Scope, query: NormalQuery, summed: readonly FieldPath[]): void {
    if (this.#indexes !== undefined) requireIndex(this.#indexes, scope, query, summed)
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
    caller: Caller,
    read: Read<T>,
  ): Promise<T> {
    if (transaction === undefined) return this.#present(read)
    const { owner, snapshot, time } = transaction
    try {
      return await this.#transactions.during(transaction, async () =>
        snapshot !== undefined
          ? read(snapshot, time)
          : this.#locks.run({ owner, keys, within: [], hold: true, caller }, () =>
              this.#present(read),
            ),
      )
    } catch (error) {
      if (began !== undefined) this.#transactions.end(transaction)
      throw error
    }
  }

  /** A first query stores its index; where the disk is full, a snapshot keeps it in memory instead. */
  #present<T>(read: Read<T>): T {
    const now = this.#store.now()
    try {
      return read(this.#store, now)
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== CODES.PERMISSION_DENIED) throw error
    }
    const snapshot = this.#store.snapshot()
    try {
      return read(snapshot, now)
    } finally {
      snapshot.close()
    }
  }

  /** The transaction of a commit. Throws INVALID_ARGUMENT or ABORTED. */
  transaction(id: Buffer, database: string): Transaction | undefined {
    return id.length === 0 ? undefined : this.#transactions.find(id, database)
  }
}
