import {
  DatabaseSync,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementSync,
} from 'node:sqlite'
import { type Micros, StoredDocument } from './document.ts'
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
  /** Documents only: bytes of the collection's prefix when deeper documents of the same kind do not belong. */
  readonly shallowFrom: number | undefined
}

export type Entry = { readonly key: Buffer; readonly document: number }

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

/** Parameter ?3 is the prefix length, 0 to take all: a direct child has exactly one segment behind it. */
const SHALLOW = "(?3 = 0 OR instr(substr(key, ?3 + 1), x'0001') = length(key) - ?3 - 2)"

const toDocument = (row: Row): StoredDocument =>
  new StoredDocument(
    integer(row['doc']),
    text(row['path']),
    blob(row['data']),
    integer(row['created']),
    integer(row['updated']),
  )

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
      this.sqlite.exec('BEGIN IMMEDIATE')
      const result = work()
      this.sqlite.exec('COMMIT')
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
    const row = this.statement('SELECT * FROM docs WHERE key = ?').get(key)
    return row === undefined ? undefined : toDocument(row)
  }

  byId(document: number): StoredDocument {
    const row = this.statement('SELECT * FROM docs WHERE doc = ?').get(document)
    if (row === undefined)
      throw new Error(`An index points to document ${document}, which is not there.`)
    return toDocument(row)
  }

  scan({ source, low, high, reverse, shallowFrom = 0 }: Range, limit: number): Entry[] {
    const order = reverse ? 'DESC' : 'ASC'
    const third = source.table === 'docs' ? SHALLOW : 'idx = ?3'
    const sql = `SELECT key, doc FROM ${source.table} WHERE key >= ?1 AND key < ?2 AND ${third} ORDER BY key ${order} LIMIT ?4`
    const parameter = source.table === 'docs' ? shallowFrom : source.index
    const rows = this.statement(sql).all(low, high, parameter, limit)
    return rows.map((row) => ({ key: blob(row['key']), document: integer(row['doc']) }))
  }

  count({ source, low, high, shallowFrom = 0 }: Range, limit: number): number {
    const third = source.table === 'docs' ? SHALLOW : 'idx = ?3'
    const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM ${source.table} WHERE key >= ?1 AND key < ?2 AND ${third} LIMIT ?4)`
    const parameter = source.table === 'docs' ? shallowFrom : source.index
    return integer(this.statement(sql).get(low, high, parameter, limit)?.['n'])
  }

  /** The first document key at or above `low`, if it lies below `high`. */
  firstKey(low: Buffer, high: Buffer): { key: Buffer; path: string } | undefined {
    const row = this.statement(
      'SELECT key, path FROM docs WHERE key >= ? AND key < ? ORDER BY key LIMIT 1',
    ).get(low, high)
    return row === undefined ? undefined : { key: blob(row['key']), path: text(row['path']) }
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

  insert(document: StoredDocument, key: Buffer): void {
    this.run(
      'INSERT INTO docs (doc, key, path, data, created, updated) VALUES (?, ?, ?, ?, ?, ?)',
      document.id,
      key,
      document.path,
      document.bytes,
      document.created,
      document.updated,
    )
  }

  update(id: number, bytes: Buffer, updated: Micros): void {
    this.run('UPDATE docs SET data = ?, updated = ? WHERE doc = ?', bytes, updated, id)
  }

  delete(id: number): void {
    this.run('DELETE FROM docs WHERE doc = ?', id)
  }
}
