import {
  DatabaseSync,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementSync,
} from 'node:sqlite'
import { type Location, type Micros, StoredDocument } from './document.ts'
import { StatusError } from './status.ts'

/** Where a scan reads: the documents themselves or the entries of one index. */
export type Source = {
  readonly table: 'docs' | 'entries' | 'own_entries'
  /** The index; 0 for documents. */
  readonly index: number
}

/** One key range, `low` included, `high` excluded. */
export type Range = {
  readonly source: Source
  readonly low: Buffer
  readonly high: Buffer
  readonly reverse: boolean
  /** Documents only: the number of segments in their paths, where documents deeper below do not belong. */
  readonly depth: number | undefined
}

export type Entry = { readonly key: Buffer; readonly document: number }

/** Columns by their place: arrays are made faster than objects with names. */
type Row = Record<string, SQLOutputValue>

function integer(value: SQLOutputValue | undefined): number {
  if (typeof value !== 'number')
    throw new TypeError('The database holds something other than a number.')
  return value
}

function text(value: SQLOutputValue | undefined): string {
  if (typeof value !== 'string')
    throw new TypeError('The database holds something other than text.')
  return value
}

function blob(value: SQLOutputValue | undefined): Buffer {
  if (!(value instanceof Uint8Array))
    throw new TypeError('The database holds something other than bytes.')
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

const COLUMNS = 'doc, path, data, created, updated'
const FIND = `SELECT ${COLUMNS} FROM docs WHERE key = ?`
const BY_ID = `SELECT ${COLUMNS} FROM docs WHERE doc = ?`
const INSERT = `INSERT INTO docs (doc, key, depth, path, data, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (key, depth) DO NOTHING`

const toDocument = (row: Row): StoredDocument =>
  new StoredDocument(
    integer(row['0']),
    text(row['1']),
    blob(row['2']),
    integer(row['3']),
    integer(row['4']),
  )

/** Table and condition of a range; ?1 and ?2 are its bounds, ?3 is what `third` gives. */
function condition({ source, depth }: Range): string {
  const rest = source.table === 'docs' ? 'depth = ?3' : 'idx = ?3'
  const any = source.table === 'docs' && depth === undefined
  return `${source.table} WHERE key >= ?1 AND key < ?2 AND ${any ? '?3 = 0' : rest}`
}

const third = ({ source, depth }: Range) => (source.table === 'docs' ? (depth ?? 0) : source.index)

const SQLITE_FULL = 13

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_FULL
}

/** A code that the SDK repeats neither in plain commits nor in transactions, and that no precondition has. */
function diskFull(cause: unknown): StatusError {
  return new StatusError('PERMISSION_DENIED', 'The disk is full; nothing was written.', { cause })
}

/** One SQLite connection with its prepared statements. */
export class Connection {
  readonly sqlite: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(file: string, readOnly: boolean) {
    this.sqlite = new DatabaseSync(file, { readOnly, timeout: 1000 })
  }

  statement(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const prepared = this.sqlite.prepare(sql)
    prepared.setReturnArrays(true)
    this.#statements.set(sql, prepared)
    return prepared
  }

  run(sql: string, ...parameters: SQLInputValue[]): void {
    this.statement(sql).run(...parameters)
  }

  /** Runs `work` in one SQLite transaction, its own or the one that is under way. Throws PERMISSION_DENIED when the disk is full. */
  atomically<T>(work: () => T, undone: () => void): T {
    if (this.sqlite.isTransaction) return work()
    try {
      this.run('BEGIN IMMEDIATE')
      const result = work()
      this.run('COMMIT')
      return result
    } catch (error) {
      if (this.sqlite.isTransaction) this.sqlite.exec('ROLLBACK')
      undone()
      throw isDiskFull(error) ? diskFull(error) : error
    }
  }

  close(): void {
    this.#statements.clear()
    this.sqlite.close()
  }

  find(key: Buffer): StoredDocument | undefined {
    const row = this.statement(FIND).get(key)
    return row === undefined ? undefined : toDocument(row)
  }

  byId(document: number): StoredDocument {
    const row = this.statement(BY_ID).get(document)
    if (row === undefined)
      throw new Error(`An index points to document ${document}, which is not there.`)
    return toDocument(row)
  }

  scan(range: Range, limit: number): Entry[] {
    const order = range.reverse ? 'DESC' : 'ASC'
    const sql = `SELECT key, doc FROM ${condition(range)} ORDER BY key ${order} LIMIT ?4`
    const rows = this.statement(sql).all(range.low, range.high, third(range), limit)
    return rows.map((row) => ({ key: blob(row['0']), document: integer(row['1']) }))
  }

  /** All documents of a range of keys, one after the other. */
  *documents(low: Buffer, high: Buffer): Generator<StoredDocument> {
    const rows = this.statement(`SELECT ${COLUMNS} FROM docs WHERE key >= ? AND key < ?`).iterate(
      low,
      high,
    )
    for (const row of rows) yield toDocument(row)
  }

  /** How many keys the range has, but no more than `limit`. */
  count(range: Range, limit: number | undefined): number {
    const bounds = [range.low, range.high, third(range)] as const
    const sql =
      limit === undefined
        ? `SELECT count(*) FROM ${condition(range)}`
        : `SELECT count(*) FROM (SELECT 1 FROM ${condition(range)} LIMIT ?4)`
    const rest = limit === undefined ? [] : [limit]
    return this.number(sql, ...bounds, ...rest) ?? 0
  }

  /** The first document key at or above `low`, if it lies below `high`. */
  firstKey(low: Buffer, high: Buffer): { key: Buffer; path: string } | undefined {
    const row = this.statement(
      'SELECT key, path FROM docs WHERE key >= ? AND key < ? ORDER BY key LIMIT 1',
    ).get(low, high)
    return row === undefined ? undefined : { key: blob(row['0']), path: text(row['1']) }
  }

  number(sql: string, ...parameters: SQLInputValue[]): number | undefined {
    const row = this.statement(sql).get(...parameters)
    const value = row === undefined ? undefined : Object.values(row)[0]
    return value === null || value === undefined ? undefined : integer(value)
  }

  /** Rows of (number, text) pairs. */
  pairs(sql: string, ...parameters: SQLInputValue[]): [number, string][] {
    return this.statement(sql)
      .all(...parameters)
      .map((row) => {
        const [first, second] = Object.values(row)
        return [integer(first), text(second)]
      })
  }

  /** False where there is a document already, which then stays as it was. */
  insert(document: StoredDocument, location: Location): boolean {
    const { changes } = this.statement(INSERT).run(
      document.id,
      location.key,
      location.segments.length,
      document.path,
      document.bytes,
      document.created,
      document.updated,
    )
    return changes > 0
  }

  update(id: number, bytes: Buffer, updated: Micros): void {
    this.run('UPDATE docs SET data = ?, updated = ? WHERE doc = ?', bytes, updated, id)
  }

  delete(id: number): void {
    this.run('DELETE FROM docs WHERE doc = ?', id)
  }
}
