import type { Connection, Source } from './connection.ts'
import { kindPrefix, type StoredDocument } from './document.ts'
import {
  entryKeys,
  type IndexShape,
  parseShape,
  sameEntries,
  shapeSignature,
} from './index-definition.ts'
import { successor } from './order-key.ts'

/**
 * More shapes than an application has queries for one kind of document, and than a query has disjunctions: the one
 * that was not used for longest gives way, which is never one of the query that is being planned.
 */
const MAX_SHAPES_PER_KIND = 64
/** Entries sorted at a time: about 20 MB. */
const BACKFILL_BATCH = 100_000

type Index = { readonly id: number; readonly shape: IndexShape; readonly signature: string }

/**
 * The indexes of one connection's view. They come into being with the first query that needs them
 * and are kept up to date by every write in the same SQLite transaction. A connection that may not
 * write keeps those it misses in a table of its own, which ends with it.
 */
export class Indexes {
  readonly #connection: Connection
  readonly #table: 'entries' | 'own_entries'
  readonly #insertion: string
  readonly #kinds = new Map<string, Index[]>()
  readonly #own = new Set<number>()

  readonly #declared: (kind: string) => readonly IndexShape[]

  /** `declared` are shapes that are there before the first query asks for them. */
  constructor(
    connection: Connection,
    mode: 'present' | 'snapshot',
    declared: (kind: string) => readonly IndexShape[],
  ) {
    this.#connection = connection
    this.#table = mode === 'snapshot' ? 'own_entries' : 'entries'
    this.#insertion = `INSERT OR REPLACE INTO ${this.#table} (idx, key, doc) VALUES (?, ?, ?)`
    this.#declared = declared
    if (mode === 'snapshot')
      connection.sqlite.exec(
        'PRAGMA temp_store = MEMORY; CREATE TEMP TABLE own_entries (idx INTEGER, key BLOB, doc INTEGER, PRIMARY KEY (idx, key)) WITHOUT ROWID',
      )
  }

  /** Where to read this shape; builds the index when it does not exist yet. */
  source(database: number, kind: string, shape: IndexShape): Source {
    const signature = shapeSignature(shape)
    const index =
      this.#used(database, kind, signature) ?? this.#create(database, kind, shape, signature)
    return { table: this.#own.has(index.id) ? 'own_entries' : 'entries', index: index.id }
  }

  /** The index of this shape, which becomes the most recently used; undefined where there is none yet. */
  #used(database: number, kind: string, signature: string): Index | undefined {
    const indexes = this.#of(database, kind)
    const at = indexes.findIndex((other) => other.signature === signature)
    const [index] = at < 0 ? [] : indexes.splice(at, 1)
    if (index !== undefined) indexes.push(index)
    return index
  }

  /** Takes the entries of the old state out and puts those of the new one in. */
  maintain(
    database: number,
    kind: string,
    before: StoredDocument | undefined,
    after: StoredDocument | undefined,
  ): void {
    for (const index of this.#of(database, kind)) {
      if (before !== undefined && after !== undefined && sameEntries(index.shape, before, after))
        continue
      this.#replace(index, before, after)
    }
  }

  #replace(
    { id, shape }: Index,
    before: StoredDocument | undefined,
    after: StoredDocument | undefined,
  ): void {
    const old = before === undefined ? [] : entryKeys(shape, before)
    const fresh = after === undefined ? [] : entryKeys(shape, after)
    for (const key of without(old, fresh))
      this.#connection.run('DELETE FROM entries WHERE idx = ? AND key = ?', id, key)
    for (const key of without(fresh, old)) this.#insert(id, key, after?.id ?? 0)
  }

  /** Forgets what was read, after a transaction that may have created an index was undone. */
  reset(): void {
    this.#kinds.clear()
  }

  #insert(index: number, key: Buffer, document: number): void {
    this.#connection.run(this.#insertion, index, key, document)
  }

  #of(database: number, kind: string): Index[] {
    const place = `${database}/${kind}`
    const known = this.#kinds.get(place)
    if (known !== undefined) return known
    const rows = this.#connection.pairs(
      'SELECT idx, shape FROM indexes WHERE db = ? AND kind = ? ORDER BY idx',
      database,
      kind,
    )
    const indexes = rows.map(([id, signature]) => ({ id, signature, shape: parseShape(signature) }))
    this.#kinds.set(place, indexes)
    if (this.#table === 'entries') this.#declare(database, kind)
    return indexes
  }

  #declare(database: number, kind: string): void {
    for (const shape of this.#declared(kind)) this.source(database, kind, shape)
  }

  #create(database: number, kind: string, shape: IndexShape, signature: string): Index {
    if (this.#table === 'own_entries') {
      const index = { id: -1 - this.#own.size, shape, signature }
      this.#own.add(index.id)
      this.#backfill(database, kind, index)
      this.#of(database, kind).push(index)
      return index
    }
    return this.#connection.atomically(
      () => {
        const index = this.#register(database, kind, shape, signature)
        this.#backfill(database, kind, index)
        this.#of(database, kind).push(index)
        return index
      },
      () => this.reset(),
    )
  }

  #register(database: number, kind: string, shape: IndexShape, signature: string): Index {
    const indexes = this.#of(database, kind)
    if (indexes.length >= MAX_SHAPES_PER_KIND) {
      const oldest = indexes.shift()
      this.#connection.run('DELETE FROM entries WHERE idx = ?', oldest?.id ?? 0)
      this.#connection.run('DELETE FROM indexes WHERE idx = ?', oldest?.id ?? 0)
    }
    this.#connection.run(
      'INSERT INTO indexes (db, kind, shape) VALUES (?, ?, ?)',
      database,
      kind,
      signature,
    )
    const id = this.#connection.number('SELECT max(idx) FROM indexes') ?? 0
    return { id, shape, signature }
  }

  /** Sorted insertion is several times faster than insertion in the order of documents. */
  #backfill(database: number, kind: string, { id, shape }: Index): void {
    const prefix = kindPrefix(database, kind)
    const names = new Set(shape.components.flatMap(({ path }) => path.slice(0, 1)))
    let batch: [key: Buffer, document: number][] = []
    const store = () => {
      batch.sort(([a], [b]) => Buffer.compare(a, b))
      for (const [key, document] of batch) this.#insert(id, key, document)
      batch = []
    }
    for (const document of this.#connection.documents(prefix, successor(prefix) ?? prefix)) {
      for (const key of entryKeys(shape, document.only(names))) batch.push([key, document.id])
      if (batch.length >= BACKFILL_BATCH) store()
    }
    store()
  }
}

/** The keys that the others lack. */
function without(keys: readonly Buffer[], others: readonly Buffer[]): readonly Buffer[] {
  if (others.length === 0) return keys
  const known = new Set(others.map((key) => key.toString('latin1')))
  return keys.filter((key) => !known.has(key.toString('latin1')))
}
