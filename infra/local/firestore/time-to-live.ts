import { Location, type Micros, microsOf, timestampOf } from './document.ts'
import { execute } from './execute.ts'
import { type FieldPath, getField, parseFieldPath } from './field-path.ts'
import type { Locks } from './locks.ts'
import { Planner } from './plan.ts'
import type { StructuredQuery } from './query-message.ts'
import type { Changes, Store } from './store.ts'
import { writeLocks } from './writes.ts'

const BATCH = 200

export type TimeToLive = { readonly collectionGroup: string; readonly field: string }

/** Deletes documents whose time is over, as production does within about a day. */
export class Sweeper {
  readonly #store: Store
  readonly #locks: Locks
  readonly #policies: readonly TimeToLive[]
  readonly #ended = new AbortController()

  constructor(store: Store, locks: Locks, policies: readonly TimeToLive[]) {
    this.#store = store
    this.#locks = locks
    this.#policies = policies
  }

  close(): void {
    this.#ended.abort()
  }

  /** Resolves with the number of deleted documents. */
  async sweep(now: Date): Promise<number> {
    let deleted = 0
    for (const [database, name] of this.#store.databases())
      for (const policy of this.#policies)
        deleted += await this.#sweepOne(database, name, policy, now)
    return deleted
  }

  async #sweepOne(
    database: number,
    databaseName: string,
    policy: TimeToLive,
    now: Date,
  ): Promise<number> {
    const path = parseFieldPath(policy.field)
    const end = now.getTime() * 1000
    const scope = { databaseName, parent: [], kind: policy.collectionGroup, group: true }
    const planner = new Planner(scope, expired(policy, end))
    let deleted = 0
    for (;;) {
      const window = { offset: 0, limit: BATCH }
      const documents = [...execute(this.#store, database, planner, window)]
      const locations = documents.map(
        (document) => new Location(database, document.path.split('/')),
      )
      if (documents.length === 0) return deleted
      const locks = writeLocks(locations)
      const { result } = await this.#locks.run(
        { owner: undefined, ...locks, hold: false, caller: this.#ended },
        () => this.#store.commit((changes) => remove(changes, locations, path, end)),
      )
      deleted += result
    }
  }
}

/** Deletes those that still are over: they may have changed while their locks were waited for. */
function remove(
  changes: Changes,
  locations: readonly Location[],
  path: FieldPath,
  end: Micros,
): number {
  for (const location of locations) {
    const document = changes.find(location)
    const value = document === undefined ? undefined : getField(document.fields, path)
    if (value?.kind === 'timestamp' && microsOf(value.value) <= end) changes.remove(location)
  }
  return changes.written.size
}

function expired({ field, collectionGroup }: TimeToLive, end: number): StructuredQuery {
  return {
    from: [{ id: collectionGroup, allDescendants: true }],
    where: {
      kind: 'field',
      path: parseFieldPath(field),
      op: '<=',
      value: { kind: 'timestamp', value: timestampOf(end) },
    },
    orderBy: [],
    startAt: undefined,
    endAt: undefined,
    offset: 0,
    limit: BATCH,
    select: undefined,
  }
}
