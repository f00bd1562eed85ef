import type { DatabaseSync } from 'node:sqlite'
import { integer, type Row, text } from './database.ts'
import type { Preconditions } from './preconditions.ts'
import type { ObjectSettings } from './settings.ts'

/** What was agreed when a resumable session started; kept as JSON. */
export type SessionPlan = {
  /** Which side started it: decides the form of the last answer and of errors. */
  side: 'json' | 'xml'
  settings: ObjectSettings
  conditions: Preconditions
  /** Checksums the client announced at the start, base64. */
  expected: ExpectedHashes
  /** `Origin` of the start request: later requests of that origin are answered with CORS. */
  origin?: string
  /** From `x-goog-content-length-range`, bytes, both ends included. */
  lengthRange?: [number, number]
}

/** Checksums that the bytes must have; absent means not announced. */
export type ExpectedHashes = { md5?: string; crc32c?: string }

export type Session = {
  /** 64 hex digits; whoever has it may upload. */
  readonly id: string
  readonly bucket: string
  readonly name: string
  /** Microseconds since 1970. */
  readonly started: number
  /** Bytes, once announced. */
  readonly total: number | undefined
  readonly plan: SessionPlan
  /** The finished object's resource, as JSON without addresses. */
  readonly result: string | undefined
}

const parse = (row: Row): Session => ({
  id: text(row, 'id'),
  bucket: text(row, 'bucket'),
  name: text(row, 'name'),
  started: integer(row, 'started'),
  total: row['total'] === null ? undefined : integer(row, 'total'),
  plan: JSON.parse(text(row, 'plan')),
  result: row['result'] === null ? undefined : text(row, 'result'),
})

/** A session is forgotten after a week, as in Cloud Storage. */
export const SESSION_MICROS = 7 * 24 * 3600 * 1_000_000

/** The table of resumable upload sessions; they survive a restart. */
export function openSessionRows(db: DatabaseSync) {
  const find = db.prepare('SELECT * FROM sessions WHERE id = ?')
  const add = db.prepare('INSERT INTO sessions VALUES (?,?,?,?,?,?,NULL)')
  const total = db.prepare('UPDATE sessions SET total = ? WHERE id = ?')
  const finish = db.prepare('UPDATE sessions SET result = ? WHERE id = ?')
  const remove = db.prepare('DELETE FROM sessions WHERE id = ?')
  const stale = db.prepare('DELETE FROM sessions WHERE started < ? RETURNING id')
  return {
    find(id: string): Session | undefined {
      const row = find.get(id)
      return row && parse(row)
    },
    add(s: Session): void {
      add.run(s.id, s.bucket, s.name, s.started, s.total ?? null, JSON.stringify(s.plan))
    },
    setTotal: (id: string, bytes: number) => void total.run(bytes, id),
    finish: (id: string, result: string) => void finish.run(result, id),
    remove: (id: string) => void remove.run(id),
    /** Forgets sessions that started before the given time; gives their ids. */
    removeOlderThan: (micros: number) => stale.all(micros).map((row) => text(row, 'id')),
  }
}

export type SessionRows = ReturnType<typeof openSessionRows>
