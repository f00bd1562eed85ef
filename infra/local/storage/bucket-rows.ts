import type { DatabaseSync } from 'node:sqlite'
import { integer, type Row, text } from './database.ts'
import { type JsonObject, parseJsonObject } from './json.ts'

export type Bucket = {
  readonly name: string
  readonly metageneration: number
  /** Microseconds since 1970. */
  readonly created: number
  readonly updated: number
  /** The writable fields of the bucket resource, as they were sent. */
  readonly settings: JsonObject
}

const parse = (row: Row): Bucket => ({
  name: text(row, 'name'),
  metageneration: integer(row, 'metageneration'),
  created: integer(row, 'created'),
  updated: integer(row, 'updated'),
  settings: parseJsonObject(text(row, 'settings'), 'a stored row'),
})

/** The table of buckets. */
export function openBucketRows(db: DatabaseSync) {
  const find = db.prepare('SELECT * FROM buckets WHERE name = ?')
  const all = db.prepare('SELECT * FROM buckets ORDER BY name')
  const put = db.prepare('INSERT OR REPLACE INTO buckets VALUES (?,?,?,?,?)')
  const remove = db.prepare('DELETE FROM buckets WHERE name = ?')
  return {
    find(name: string): Bucket | undefined {
      const row = find.get(name)
      return row && parse(row)
    },
    all: (): Bucket[] => all.all().map(parse),
    put(b: Bucket): void {
      put.run(b.name, b.metageneration, b.created, b.updated, JSON.stringify(b.settings))
    },
    remove: (name: string) => void remove.run(name),
  }
}

export type BucketRows = ReturnType<typeof openBucketRows>
