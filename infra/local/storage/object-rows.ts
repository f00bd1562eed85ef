import type { DatabaseSync } from 'node:sqlite'
import { integer, type Row, text } from './database.ts'
import { type ObjectSettings, parseSettings } from './settings.ts'

/** An object but for its bytes. */
export type StoredObject = {
  readonly bucket: string
  readonly name: string
  readonly generation: number
  readonly metageneration: number
  /** Name of the blob file that holds the bytes. */
  readonly blob: string
  /** Bytes. */
  readonly size: number
  /** Base64; empty for a composed object, which has none in Cloud Storage either. */
  readonly md5: string
  /** Base64 of the big-endian CRC-32C. */
  readonly crc32c: string
  /** Microseconds since 1970, as all times here. */
  readonly created: number
  readonly updated: number
  /** Number of parts of a composed object; 0 for any other. */
  readonly components: number
  readonly settings: ObjectSettings
}

const parse = (row: Row): StoredObject => ({
  bucket: text(row, 'bucket'),
  name: text(row, 'name'),
  generation: integer(row, 'generation'),
  metageneration: integer(row, 'metageneration'),
  blob: text(row, 'blob'),
  size: integer(row, 'size'),
  md5: text(row, 'md5'),
  crc32c: text(row, 'crc32c'),
  created: integer(row, 'created'),
  updated: integer(row, 'updated'),
  components: integer(row, 'components'),
  settings: parseSettings(text(row, 'settings')),
})

/** The table of objects; every call walks the primary key. */
export function openObjectRows(db: DatabaseSync) {
  const find = db.prepare('SELECT * FROM objects WHERE bucket = ? AND name = ?')
  const put = db.prepare('INSERT OR REPLACE INTO objects VALUES (?,?,?,?,?,?,?,?,?,?,?,?)')
  const remove = db.prepare('DELETE FROM objects WHERE bucket = ? AND name = ?')
  const from = db.prepare('SELECT * FROM objects WHERE bucket = ? AND name >= ? ORDER BY name')
  return {
    find(bucket: string, name: string): StoredObject | undefined {
      const row = find.get(bucket, name)
      return row && parse(row)
    },
    put(o: StoredObject): void {
      const versions = [o.bucket, o.name, o.generation, o.metageneration]
      const content = [o.blob, o.size, o.md5, o.crc32c]
      put.run(
        ...versions,
        ...content,
        o.created,
        o.updated,
        o.components,
        JSON.stringify(o.settings),
      )
    },
    remove(bucket: string, name: string): void {
      remove.run(bucket, name)
    },
    /** In order of the UTF-8 bytes of the names, starting at `start` itself; read lazily. */
    *walk(bucket: string, start: string): Generator<StoredObject> {
      for (const row of from.iterate(bucket, start)) yield parse(row)
    },
    hasAny(bucket: string): boolean {
      return from.get(bucket, '') !== undefined
    },
  }
}

export type ObjectRows = ReturnType<typeof openObjectRows>
