import type { Connection, Entry, Range } from './connection.ts'
import { databasePrefix, kindPrefix, type StoredDocument } from './document.ts'
import { successor } from './order-key.ts'
import type { Catalogue, Plan, Planner, Scan } from './plan.ts'
import type { View } from './store.ts'

const FIRST_CHUNK = 64
const MAX_CHUNK = 2048

/** All collection ids of a database, found by jumping from one to the next. */
export function kindsOf(connection: Connection, database: number): string[] {
  const kinds: string[] = []
  let low = databasePrefix(database)
  const high = successor(low) ?? low
  for (;;) {
    const first = connection.firstKey(low, high)
    if (first === undefined) return kinds
    const kind = first.path.split('/').at(-2) ?? ''
    kinds.push(kind)
    low = successor(kindPrefix(database, kind)) ?? high
  }
}

export function catalogueOf(view: View, database: number): Catalogue {
  return {
    database,
    kinds: () => kindsOf(view.connection, database),
    source: (kind, shape) => view.indexes.source(database, kind, shape),
  }
}

/** One scan, read in chunks that grow, so that no statement stays open between them. */
class Stream {
  readonly #connection: Connection
  readonly #prefixLength: number
  #range: Range
  #chunk: Entry[] = []
  #at = 0
  #size: number
  #more = true

  constructor(connection: Connection, { range, prefixLength }: Scan, size: number) {
    this.#connection = connection
    this.#range = range
    this.#prefixLength = prefixLength
    this.#size = size
  }

  /** The sortable part of the current key and its document, or undefined at the end. */
  peek(): { key: Buffer; document: number } | undefined {
    if (this.#at === this.#chunk.length && this.#more) this.#fill()
    const entry = this.#chunk[this.#at]
    if (entry === undefined) return undefined
    return { key: entry.key.subarray(this.#prefixLength), document: entry.document }
  }

  advance(): void {
    this.#at += 1
  }

  #fill(): void {
    this.#chunk = this.#connection.scan(this.#range, this.#size)
    this.#at = 0
    this.#more = this.#chunk.length === this.#size
    this.#size = Math.min(this.#size * 4, MAX_CHUNK)
    const last = this.#chunk.at(-1)
    if (last === undefined) return
    const { reverse } = this.#range
    const next = reverse ? { high: last.key } : { low: Buffer.concat([last.key, Buffer.of(0)]) }
    this.#range = { ...this.#range, ...next }
  }
}

type Head = {
  readonly key: Buffer
  readonly document: number
  readonly stream: Stream
  readonly scan: Scan
}

/** Whichever scan is next in the common order. */
function least(streams: readonly { scan: Scan; stream: Stream }[], sign: number): Head | undefined {
  let first: Head | undefined
  for (const { scan, stream } of streams) {
    const entry = stream.peek()
    if (entry === undefined) continue
    if (first === undefined || Buffer.compare(entry.key, first.key) * sign < 0)
      first = { ...entry, stream, scan }
  }
  return first
}

/** The documents of all scans in their common order, each once. */
function* merged(
  view: View,
  database: number,
  plan: Plan,
  chunk: number,
): Generator<StoredDocument> {
  const streams = plan.scans.map((scan) => ({
    scan,
    stream: new Stream(view.connection, scan, chunk),
  }))
  let previous: Buffer | undefined
  for (;;) {
    const head = least(streams, plan.reverse ? -1 : 1)
    if (head === undefined) return
    head.stream.advance()
    if (previous?.equals(head.key)) continue
    const document = view.byId(head.document, database)
    if (head.scan.test !== undefined && !head.scan.test(document)) continue
    previous = head.key
    yield document
  }
}

/** The result of a query in order, with offset and limit applied. `skip` leaves out that many more. */
export function* execute(
  view: View,
  database: number,
  planner: Planner,
  window: { offset: number; limit: number | undefined },
): Generator<StoredDocument> {
  const limit = window.limit ?? Number.POSITIVE_INFINITY
  if (limit === 0) return
  const wanted = window.offset + limit
  const plan = planner.plan(catalogueOf(view, database))
  let position = 0
  for (const document of merged(view, database, plan, Math.min(wanted, FIRST_CHUNK))) {
    position += 1
    if (position > window.offset) yield document
    if (position >= wanted) return
  }
}

/** How many documents there are up to `limit`, from the index alone where it settles every condition; undefined where it does not. */
export function countOnly(
  view: View,
  database: number,
  planner: Planner,
  window: { offset: number; limit: number | undefined },
): number | undefined {
  const { scans } = planner.plan(catalogueOf(view, database))
  const [scan] = scans
  if (scan === undefined) return 0
  if (scans.length > 1 || scan.test !== undefined) return undefined
  const most = window.limit === undefined ? undefined : window.offset + window.limit
  return Math.max(0, view.connection.count(scan.range, most) - window.offset)
}
