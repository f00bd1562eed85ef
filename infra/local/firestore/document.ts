import { KeyWriter } from './key-writer.ts'
import { pathKey, textKey, writeClosedPath } from './order-key.ts'
import { decodeFields, decodeSome, type Fields, type Timestamp } from './value.ts'
import type { Writer } from './wire-writer.ts'

/** Times are whole microseconds since 1970: what Firestore keeps, and exact in a double until 2255. */
export type Micros = number

export function timestampOf(micros: Micros): Timestamp {
  const seconds = Math.floor(micros / 1_000_000)
  return { seconds: BigInt(seconds), nanos: (micros - seconds * 1_000_000) * 1000 }
}

/** A `Timestamp` message in a field; `timestampOf` without the detour over big integers. */
export function writeMicros(w: Writer, field: number, micros: Micros): void {
  const seconds = Math.floor(micros / 1_000_000)
  const nanos = (micros - seconds * 1_000_000) * 1000
  const start = w.open(field)
  if (seconds !== 0) w.int(1, seconds)
  if (nanos !== 0) w.int(2, nanos)
  w.close(start)
}

/** Rounds down to microseconds. */
export function microsOf({ seconds, nanos }: Timestamp): Micros {
  return Number(seconds) * 1_000_000 + Math.floor(nanos / 1000)
}

const scratch = new KeyWriter()

/** Where a document is: `kind` is its collection's id. */
export class Location {
  readonly database: number
  readonly segments: readonly string[]
  readonly path: string
  readonly kind: string
  /** Database and path as one text: what tells documents apart. */
  readonly place: string
  #key: Buffer | undefined

  constructor(database: number, segments: readonly string[]) {
    this.database = database
    this.segments = segments
    this.path = segments.join('/')
    this.kind = segments.at(-2) ?? ''
    this.place = placeOf(database, this.path)
  }

  /** The path of what it lies in. */
  get collection(): string {
    return this.path.slice(0, Math.max(0, this.path.lastIndexOf('/')))
  }

  /** Its place in the document table. */
  get key(): Buffer {
    this.#key ??= writeClosedPath(
      scratch.truncate(0).uint(this.database, 4).text(this.kind),
      this.segments,
    ).finish()
    return this.#key
  }
}

export function placeOf(database: number, path: string): string {
  return `${database}/${path}`
}

/** The start of the keys of all documents of one kind in one database. */
export function kindPrefix(database: number, kind: string): Buffer {
  return Buffer.concat([databasePrefix(database), textKey(kind)])
}

export function databasePrefix(database: number): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32BE(database)
  return prefix
}

/** The start of the keys of all documents in and below one collection. */
export function collectionPrefix(database: number, collection: readonly string[]): Buffer {
  const kind = collection.at(-1) ?? ''
  return Buffer.concat([kindPrefix(database, kind), pathKey(collection)])
}

/** A document as it is stored; `bytes` are its fields, encoded as they stand in a `Document` message. */
export class StoredDocument {
  readonly id: number
  readonly path: string
  readonly bytes: Buffer
  readonly created: Micros
  readonly updated: Micros
  #fields: Fields | undefined
  #segments: readonly string[] | undefined

  constructor(
    id: number,
    path: string,
    bytes: Buffer,
    created: Micros,
    updated: Micros,
    fields?: Fields,
  ) {
    this.id = id
    this.path = path
    this.bytes = bytes
    this.created = created
    this.updated = updated
    this.#fields = fields
  }

  get segments(): readonly string[] {
    this.#segments ??= this.path.split('/')
    return this.#segments
  }

  /** Decoded once and kept until `forget`; never changed in place. */
  get fields(): Fields {
    this.#fields ??= decodeFields(this.bytes)
    return this.#fields
  }

  /** Lets go of the decoded fields, which come back when they are asked for. */
  forget(): void {
    this.#fields = undefined
  }

  /** The same with only these fields decoded, for a single look. */
  only(names: ReadonlySet<string>): StoredDocument {
    const fields = decodeSome(this.bytes, names)
    return new StoredDocument(this.id, this.path, this.bytes, this.created, this.updated, fields)
  }
}

/** The fields of a `Document` message; `bytes` replaces the document's own when only some were asked for. */
export function writeDocumentFields(
  w: Writer,
  databaseName: string,
  document: StoredDocument,
  bytes: Buffer,
): void {
  w.string(1, `${databaseName}/documents/${document.path}`)
  w.raw(bytes)
  writeMicros(w, 3, document.created)
  writeMicros(w, 4, document.updated)
}

export function writeDocument(
  w: Writer,
  field: number,
  databaseName: string,
  document: StoredDocument,
  bytes: Buffer,
): void {
  const start = w.open(field)
  writeDocumentFields(w, databaseName, document, bytes)
  w.close(start)
}
