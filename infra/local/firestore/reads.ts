import { Aggregator, countValue } from './aggregate.ts'
import type { RunAggregation } from './aggregation-message.ts'
import {
  Location,
  type Micros,
  type StoredDocument,
  writeDocument,
  writeMicros,
} from './document.ts'
import { countOnly, execute } from './execute.ts'
import { type FieldPath, isNameField, project } from './field-path.ts'
import type { Call } from './grpc.ts'
import type { BatchGet } from './messages.ts'
import { checkDatabase, parseDocumentName } from './names.ts'
import { Planner, type Scope, scopeOf } from './plan.ts'
import type { RunQuery, StructuredQuery } from './query-message.ts'
import type { Seat, Sessions } from './sessions.ts'
import { invalid } from './status.ts'
import type { Store, View } from './store.ts'
import { encodeFields, type Value, writeValue } from './value.ts'
import { Writer } from './wire-writer.ts'

/** Results up to this many documents are gathered in one go; longer ones stream from a snapshot. */
const GATHERED = 1000

const bytesOf = (document: StoredDocument, paths: readonly FieldPath[] | undefined) =>
  paths === undefined ? document.bytes : encodeFields(project(document.fields, paths))

/** A message that holds nothing but the id of a transaction that just began. */
function transactionMessage(field: number, seat: Seat): Buffer | undefined {
  return seat.began ? new Writer(32).bytes(field, seat.began).finish() : undefined
}

/** BatchGetDocuments: each document found or missing, in the order asked for. */
export async function batchGet(
  store: Store,
  sessions: Sessions,
  request: BatchGet,
  call: Call,
): Promise<void> {
  checkDatabase(request.database)
  const database = store.database(request.database)
  const locations = request.documents.map(
    (name) => new Location(database, parseDocumentName(name, request.database).path),
  )
  const seat = sessions.seat(request.database, request.consistency)
  const keys = locations.map(({ place }) => `doc ${place}`)
  const read = (view: View, now: Micros) => ({
    documents: locations.map((location) => view.find(location)),
    time: now,
  })
  const { documents, time } = await sessions.read(seat, keys, call, read)
  const began = transactionMessage(3, seat)
  if (began !== undefined) await call.send(began)
  for (const [i, document] of documents.entries()) {
    const w = new Writer((document?.bytes.length ?? 0) + 256)
    if (document === undefined) w.string(2, request.documents[i] ?? '')
    else writeDocument(w, 1, request.database, document, bytesOf(document, request.mask))
    writeMicros(w, 4, time)
    await call.send(w.finish())
  }
}

function lockKeys(database: number, scope: Scope): string[] {
  if (scope.kind === undefined) return [`all ${database}`]
  if (scope.group) return [`group ${database}/${scope.kind}`]
  return [`collection ${database}/${[...scope.parent, scope.kind].join('/')}`]
}

/** `select` with nothing but `__name__` (or nothing at all) means empty documents. */
function selected(query: StructuredQuery): FieldPath[] | undefined {
  return query.select?.filter((path) => !isNameField(path))
}

type Rest = { readonly view: View; readonly end: () => void }
type Found = { documents: StoredDocument[]; rest: Rest | undefined; time: Micros }

/** RunQuery: a message for each document, or one with only the read time when there is none. */
export async function runQuery(
  store: Store,
  sessions: Sessions,
  { parent, query, consistency }: RunQuery,
  call: Call,
): Promise<void> {
  if (query === undefined) throw invalid('The request has no query.')
  const scope = scopeOf(parent, query)
  const planner = new Planner(scope, query)
  sessions.requireIndex(scope, planner.normal, [])
  const database = store.database(scope.databaseName)
  const seat = sessions.seat(scope.databaseName, consistency)
  const { documents, rest, time } = await sessions.read(
    seat,
    lockKeys(database, scope),
    call,
    (view, now) => gather(execute(view, database, planner, query), () => restOf(store, seat), now),
  )
  const fields = selected(query)
  const message = (document: StoredDocument) => {
    const w = new Writer(document.bytes.length + 256)
    writeDocument(w, 1, scope.databaseName, document, bytesOf(document, fields))
    writeMicros(w, 3, time)
    return w.finish()
  }
  try {
    const began = transactionMessage(2, seat)
    if (began !== undefined) await call.send(began)
    for (const document of documents) await call.send(message(document))
    if (rest !== undefined)
      for (const document of further(rest, database, planner, query))
        await call.send(message(document))
  } finally {
    rest?.end()
  }
  if (documents.length > 0) return
  const w = new Writer(32)
  writeMicros(w, 3, time)
  await call.send(w.finish())
}

/** Reads what fits at once; for the rest `fix` keeps this very moment. */
function gather(found: Generator<StoredDocument>, fix: () => Rest, time: Micros): Found {
  const documents: StoredDocument[] = []
  for (const document of found) {
    if (documents.length === GATHERED) return { documents, rest: fix(), time }
    documents.push(document)
  }
  return { documents, rest: undefined, time }
}

/** A transaction's snapshot serves on and stays open; the present is fixed in a snapshot of its own. */
function restOf(store: Store, { transaction }: Seat): Rest {
  if (transaction?.snapshot !== undefined)
    return { view: transaction.snapshot, end: () => undefined }
  const snapshot = store.snapshot()
  return { view: snapshot, end: () => snapshot.close() }
}

/** The documents behind those that were gathered. */
function further(
  { view }: Rest,
  database: number,
  planner: Planner,
  query: StructuredQuery,
): Generator<StoredDocument> {
  const offset = query.offset + GATHERED
  const limit = query.limit === undefined ? undefined : query.limit - GATHERED
  return execute(view, database, planner, { offset, limit })
}

/** RunAggregationQuery: id of a new transaction, results and read time in one message. */
export async function runAggregation(
  store: Store,
  sessions: Sessions,
  request: RunAggregation,
  call: Call,
): Promise<void> {
  const { query, aggregations } = request
  if (query === undefined || aggregations.length === 0)
    throw invalid('The request has no query or no aggregation.')
  if (aggregations.some(({ op }) => op === undefined))
    throw invalid('An aggregation has no operation.')
  const scope = scopeOf(request.parent, query)
  const planner = new Planner(scope, query)
  const summed = aggregations.flatMap(({ field }) => (field === undefined ? [] : [field]))
  sessions.requireIndex(scope, planner.normal, summed)
  const database = store.database(scope.databaseName)
  const seat = sessions.seat(scope.databaseName, request.consistency)
  const { results, time } = await sessions.read(
    seat,
    lockKeys(database, scope),
    call,
    (view, now) => ({ results: aggregate(view, database, planner, request, query), time: now }),
  )
  const w = new Writer()
  w.message(1, () => writeResults(w, results))
  if (seat.began) w.bytes(2, seat.began)
  writeMicros(w, 3, time)
  await call.send(w.finish())
}

function writeResults(w: Writer, results: readonly [string, Value][]): void {
  for (const [alias, value] of results)
    w.message(2, () => {
      w.string(1, alias)
      w.message(2, () => writeValue(w, value))
    })
}

function aggregate(
  view: View,
  database: number,
  planner: Planner,
  { aggregations }: RunAggregation,
  query: StructuredQuery,
): [string, Value][] {
  if (aggregations.every(({ op }) => op === 'count')) {
    const count = countOnly(view, database, planner, query)
    if (count !== undefined)
      return aggregations.map(({ alias, upTo }) => [alias, countValue(count, upTo)])
  }
  const aggregator = new Aggregator(aggregations)
  for (const document of execute(view, database, planner, query)) aggregator.add(document)
  return aggregator.results()
}
