import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'

/**
 * Everything about objects but their bytes. Names live only here, never in a path.
 *
 * - `objects` is ordered by (bucket, name) in UTF-8 bytes, so that lists and look-ups are walks
 *   along the primary key whatever the number of objects.
 * - `unowned` names blob files that no object owns: not yet (between rename and commit) or no
 *   longer (between commit and unlink). The next start deletes what a crash left of them.
 */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS buckets (
  name TEXT PRIMARY KEY, metageneration INTEGER NOT NULL, created INTEGER NOT NULL,
  updated INTEGER NOT NULL, settings TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
  bucket TEXT NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL,
  metageneration INTEGER NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL,
  md5 TEXT NOT NULL, crc32c TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
  components INTEGER NOT NULL, settings TEXT NOT NULL,
  PRIMARY KEY (bucket, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
  id TEXT PRIMARY KEY, bucket TEXT NOT NULL, name TEXT NOT NULL, started INTEGER NOT NULL,
  total INTEGER, plan TEXT NOT NULL, result TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_started ON sessions (started);
CREATE TABLE IF NOT EXISTS unowned (blob TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clock (
  id INTEGER PRIMARY KEY CHECK (id = 1), micros INTEGER NOT NULL
) STRICT;
INSERT OR IGNORE INTO clock VALUES (1, 0);
`

/**
 * Opens or creates the database. `synchronous=NORMAL`: a commit survives the death of the process;
 * only a power cut may drop the last ones, and never leaves a row whose bytes are not on the disk.
 */
export function openDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 2000 })
  // The directory belongs to one process, so no statement has to ask the system for locks.
  db.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;')
  db.exec(SCHEMA)
  return db
}

/** Runs `work` in one transaction; it must not wait for anything (`await`) inside. */
export function transact<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    // After SQLITE_FULL the transaction may be rolled back already.
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

export type Row = Record<string, SQLOutputValue>

export function text(row: Row, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw new TypeError(`column ${column} is not text`)
  return value
}

export function integer(row: Row, column: string): number {
  const value = row[column]
  if (typeof value !== 'number') throw new TypeError(`column ${column} is not an integer`)
  return value
}

/**
 * Microseconds since 1970, strictly growing, also over restarts: the source of generations.
 * `tick` must run inside the transaction that uses its value.
 */
export function openClock(db: DatabaseSync): { tick(): number } {
  const read = db.prepare('SELECT micros FROM clock')
  const write = db.prepare('UPDATE clock SET micros = ?')
  return {
    tick() {
      const last = integer(read.get() ?? {}, 'micros')
      const next = Math.max(last + 1, Math.round(Date.now() * 1000))
      write.run(next)
      return next
    },
  }
}
