import { Connection } from './connection.ts'
import { type Location, type Micros, placeOf, StoredDocument } from './document.ts'
import { DocumentCache } from './document-cache.ts'
import type { IndexShape } from './index-definition.ts'
import { Indexes } from './indexes.ts'
import { Snapshot } from './snapshot.ts'
import type { Fields } from './value.ts'

/** SQLite's default page. */
const PAGE_BYTES = 4096

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS dbs (db INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS docs (
    doc INTEGER PRIMARY KEY, key BLOB NOT NULL, depth INTEGER NOT NULL, path TEXT NOT NULL,
    data BLOB NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL);
  CREATE UNIQUE INDEX IF NOT EXISTS docs_by_key ON docs (key, depth);
  CREATE TABLE IF NOT EXISTS indexes (
    idx INTEGER PRIMARY KEY, db INTEGER NOT NULL, kind TEXT NOT NULL, shape TEXT NOT NULL,
    UNIQUE (db, kind, shape));
  CREATE TABLE IF NOT EXISTS entries (
    idx INTEGER NOT NULL, key BLOB NOT NULL, doc INTEGER NOT NULL, PRIMARY KEY (idx, key)) WITHOUT ROWID;
  INSERT OR IGNORE INTO meta (name, value) VALUES ('clock', 0);
`

/** Documents of larger commits are kept encoded only: decoded ones are many small objects, which the collector moves about. */
const FEW = 16

const SET_CLOCK = "UPDATE meta SET value = ? WHERE name = 'clock'"

/** Moves on whenever older code could not read what newer code stores, or the other way round. */
const VERSION = 1

/** Throws when the file was written by another version; a new file gets this one's mark. */
function checkVersion(connection: Connection): void {
  const version = connection.number('PRAGMA user_version') ?? 0
  const tables = connection.number('SELECT count(*) FROM sqlite_schema') ?? 0
  if (tables > 0 && version !== VERSION)
    throw new Error(`The Firestore database was written by another version (${version}).`)
  connection.sqlite.exec(`PRAGMA user_version = ${VERSION}`)
}

/** What queries and reads need; the present and a snapshot both are one. */
export interface View {
  readonly connection: Connection
  readonly indexes: Indexes
  find(location: Location): StoredDocument | undefined
  byId(document: number, database: number): StoredDocument
}

/** The documents, their indexes and the clock, in one SQLite file that only this process writes. */
export class Store implements View {
  readonly connection: Connection
  readonly indexes: Indexes
  readonly #file: string
  readonly #databases = new Map<string, number>()
  readonly #cache = new DocumentCache()
  #lastTime: Micros
  #nextDocument: number

  constructor(
    file: string,
    declared: (kind: string) => readonly IndexShape[],
    maxBytes: number | undefined,
  ) {
    this.#file = file
    this.connection = new Connection(file, false)
    this.connection.sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    this.connection.sqlite.exec('PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -65536')
    if (maxBytes !== undefined)
      this.connection.sqlite.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / PAGE_BYTES)}`)
    checkVersion(this.connection)
    this.connection.sqlite.exec(SCHEMA)
    this.indexes = new Indexes(this.connection, 'present', declared)
    this.#lastTime = this.connection.number("SELECT value FROM meta WHERE name = 'clock'") ?? 0
    this.#nextDocument = (this.connection.number('SELECT max(doc) FROM docs') ?? 0) + 1
  }

  close(): void {
    this.connection.close()
  }

  /** A number for a database's name; any name exists. */
  database(name: string): number {
    const known = this.#databases.get(name)
    if (known !== undefined) return known
    this.connection.atomically(
      () => this.connection.run('INSERT OR IGNORE INTO dbs (name) VALUES (?)', name),
      () => undefined,
    )
    const id = this.connection.number('SELECT db FROM dbs WHERE name = ?', name) ?? 0
    this.#databases.set(name, id)
    return id
  }

  databases(): [number, string][] {
    return this.connection.pairs('SELECT db, name FROM dbs')
  }

  /** The document, if it is at hand. */
  cached(location: Location): StoredDocument | undefined {
    return this.#cache.place(location.place)
  }

  find(location: Location): StoredDocument | undefined {
    const cached = this.cached(location)
    if (cached !== undefined) return cached
    const document = this.connection.find(location.key)
    if (document !== undefined) this.#cache.put(location.place, document)
    return document
  }

  byId(id: number, database: number): StoredDocument {
    const cached = this.#cache.id(id)
    if (cached !== undefined) return cached
    const document = this.connection.byId(id)
    this.#cache.put(placeOf(database, document.path), document)
    return document
  }

  /** The time of the last commit: what a read now shows. */
  now(): Micros {
    return Math.max(this.#lastTime, wallClock())
  }

  /** A consistent view of this moment that later writes do not change; end it with `close`. */
  snapshot(): Snapshot {
    return new Snapshot(this.#file)
  }

  /** Runs `work` in one SQLite transaction: all of it or nothing is stored, at one commit time. */
  commit<T>(work: (changes: Changes, time: Micros) => T): { result: T; time: Micros } {
    const time = Math.max(this.#lastTime + 1, wallClock())
    const changes = new Changes(this, () => this.#nextDocument++)
    const result = this.connection.atomically(
      () => {
        const done = work(changes, time)
        this.connection.run(SET_CLOCK, time)
        return done
      },
      () => this.indexes.reset(),
    )
    this.#lastTime = time
    this.#keep(changes)
    return { result, time }
  }

  #keep(changes: Changes): void {
    const many = changes.written.size > FEW
    for (const [place, document] of changes.written) {
      if (many) document?.forget()
      if (document === undefined) this.#cache.drop(place)
      else this.#cache.put(place, document)
    }
  }
}

function wallClock(): Micros {
  return Math.floor((performance.timeOrigin + performance.now()) * 1000)
}

/** A document's fields, and the same as bytes. */
export type Encoded = { readonly fields: Fields; readonly bytes: Buffer }

/** The writes of one commit; each sees those before it. */
export class Changes {
  /** State after this commit by place; undefined means deleted. */
  readonly written = new Map<string, StoredDocument | undefined>()
  readonly #store: Store
  readonly #nextId: () => number

  constructor(store: Store, nextId: () => number) {
    this.#store = store
    this.#nextId = nextId
  }

  find(location: Location): StoredDocument | undefined {
    return this.#isWritten(location) ? this.written.get(location.place) : this.#store.find(location)
  }

  #isWritten({ place }: Location): boolean {
    return this.written.size > 0 && this.written.has(place)
  }

  /** Stores a document that is not there yet; false where there is one. Spares looking for it first. */
  create(location: Location, { fields, bytes }: Encoded, time: Micros): boolean {
    const known = this.#isWritten(location)
      ? this.written.get(location.place)
      : this.#store.cached(location)
    if (known !== undefined) return false
    const { path } = location
    const after = new StoredDocument(this.#nextId(), path, bytes, time, time, fields)
    if (!this.#store.connection.insert(after, location)) return false
    this.#record(location, undefined, after)
    return true
  }

  /** Returns when the document was last changed: `time`, or earlier when these fields were there already. */
  put(location: Location, encoded: Encoded, time: Micros): Micros {
    const before = this.find(location)
    if (before === undefined) {
      this.create(location, encoded, time)
      return time
    }
    const { fields, bytes } = encoded
    if (before.bytes.equals(bytes)) return before.updated
    const { id, path, created } = before
    const after = new StoredDocument(id, path, bytes, created, time, fields)
    this.#store.connection.update(id, bytes, time)
    this.#record(location, before, after)
    return time
  }

  remove(location: Location): void {
    const before = this.find(location)
    if (before === undefined) return
    this.#store.connection.delete(before.id)
    this.#record(location, before, undefined)
  }

  #record(
    location: Location,
    before: StoredDocument | undefined,
    after: StoredDocument | undefined,
  ): void {
    this.#store.indexes.maintain(location.database, location.kind, before, after)
    this.written.set(location.place, after)
  }
}
