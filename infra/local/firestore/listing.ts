import type { Connection } from './connection.ts'
import {
  collectionPrefix,
  kindPrefix,
  Location,
  type StoredDocument,
  writeDocument,
  writeDocumentFields,
} from './document.ts'
import { kindsOf } from './execute.ts'
import { project } from './field-path.ts'
import type { Call } from './grpc.ts'
import {
  type GetDocument,
  type ListDocuments,
  readGetDocument,
  readListCollectionIds,
  readListDocuments,
} from './list-message.ts'
import { checkCollectionId, parseDocumentName, parseParent } from './names.ts'
import { closedPathKey, pathKey, successor } from './order-key.ts'
import type { Sessions } from './sessions.ts'
import { invalid, StatusError, unimplemented } from './status.ts'
import type { Store } from './store.ts'
import { compareUtf8, encodeFields } from './value.ts'
import { Writer } from './wire-writer.ts'

const DEFAULT_PAGE = 100
const MAX_PAGE = 1000

/** The ids that occur at `depth` in the paths below `prefix`, from `low` on, found by jumping from one to the next. */
function distinctSegments(
  connection: Connection,
  kindStart: Buffer,
  above: readonly string[],
  limit: number,
  after: string | undefined,
): string[] {
  const prefix = Buffer.concat([kindStart, pathKey(above)])
  const high = successor(prefix) ?? prefix
  const ids: string[] = []
  let low =
    after === undefined
      ? prefix
      : (successor(Buffer.concat([kindStart, pathKey([...above, after])])) ?? high)
  while (ids.length < limit) {
    const first = connection.firstKey(low, high)
    const id = first?.path.split('/')[above.length]
    if (id === undefined) break
    ids.push(id)
    low = successor(Buffer.concat([kindStart, pathKey([...above, id])])) ?? high
  }
  return ids
}

/** ListCollectionIds: the collections directly below a document or the root that hold anything at any depth. */
export async function listCollectionIds(store: Store, buffer: Buffer, call: Call): Promise<void> {
  const request = readListCollectionIds(buffer)
  if (request.readTime) throw unimplemented('Reads at a past time are not served here.')
  const { database: name, path } = parseParent(request.parent)
  const database = store.database(name)
  const { connection } = store
  const found = new Set<string>()
  for (const kind of kindsOf(connection, database)) {
    const start = kindPrefix(database, kind)
    for (const id of distinctSegments(connection, start, path, Number.POSITIVE_INFINITY, undefined))
      found.add(id)
  }
  const after = decodeToken(request.pageToken)
  const all = [...found]
    .sort(compareUtf8)
    .filter((id) => after === '' || compareUtf8(id, after) > 0)
  const size = pageSize(request.pageSize)
  const page = all.slice(0, size)
  const w = new Writer()
  for (const id of page) w.string(1, id)
  if (all.length > size) w.string(2, encodeToken(page.at(-1) ?? ''))
  await call.send(w.finish())
}

function pageSize(asked: number): number {
  if (asked < 0) throw invalid('The page size is negative.')
  return asked === 0 ? DEFAULT_PAGE : Math.min(asked, MAX_PAGE)
}

const encodeToken = (id: string) => Buffer.from(id).toString('base64url')
const decodeToken = (token: string) => Buffer.from(token, 'base64url').toString('utf8')

type Listed = { id: string; document: StoredDocument | undefined }

/** One page of a collection in order of ids; with `showMissing` also ids that only have something below them. */
function listPage(
  store: Store,
  database: number,
  path: readonly string[],
  request: ListDocuments,
  size: number,
): Listed[] {
  const { connection } = store
  const collection = [...path, request.collectionId]
  const after = request.pageToken === '' ? undefined : decodeToken(request.pageToken)
  if (request.showMissing) {
    const ids = new Map<string, Buffer>()
    for (const kind of kindsOf(connection, database))
      for (const id of distinctSegments(
        connection,
        kindPrefix(database, kind),
        collection,
        size,
        after,
      ))
        ids.set(id, pathKey([id]))
    const sorted = [...ids].sort(([, a], [, b]) => Buffer.compare(a, b)).slice(0, size)
    return sorted.map(([id]) => ({
      id,
      document: store.find(new Location(database, [...collection, id])),
    }))
  }
  const prefix = collectionPrefix(database, collection)
  const low =
    after === undefined ? prefix : Buffer.concat([prefix, closedPathKey([after]), Buffer.of(0)])
  const range = {
    source: { table: 'docs' as const, index: 0 },
    low,
    high: successor(prefix) ?? prefix,
    reverse: false,
    depth: collection.length + 1,
  }
  return connection.scan(range, size).map(({ document: id }) => {
    const document = store.byId(id, database)
    return { id: document.path.split('/').at(-1) ?? '', document }
  })
}

/** ListDocuments in order of names; missing documents come as a bare name. */
export async function listDocuments(store: Store, buffer: Buffer, call: Call): Promise<void> {
  const request = readListDocuments(buffer)
  const { transaction, readTime } = request.consistency
  if (request.orderBy !== '' || readTime || (transaction?.length ?? 0) > 0)
    throw unimplemented(
      'Listing with an order, in a transaction or at a past time is not served here.',
    )
  const { database: name, path } = parseParent(request.parent)
  checkCollectionId(request.collectionId)
  const size = pageSize(request.pageSize)
  const listed = listPage(store, store.database(name), path, request, size + 1)
  const w = new Writer()
  for (const { id, document } of listed.slice(0, size)) {
    if (document === undefined) {
      const missing = [...path, request.collectionId, id].join('/')
      w.message(1, () => w.string(1, `${name}/documents/${missing}`))
    } else writeDocument(w, 1, name, document, masked(document, request.mask))
  }
  if (listed.length > size) w.string(2, encodeToken(listed[size - 1]?.id ?? ''))
  await call.send(w.finish())
}

function masked(document: StoredDocument, mask: GetDocument['mask']): Buffer {
  return mask === undefined ? document.bytes : encodeFields(project(document.fields, mask))
}

/** GetDocument: the bare `Document`, or NOT_FOUND. */
export async function getDocument(
  store: Store,
  sessions: Sessions,
  buffer: Buffer,
  call: Call,
): Promise<void> {
  const request = readGetDocument(buffer)
  const { database: name, path } = parseDocumentName(request.name)
  const location = new Location(store.database(name), path)
  const seat = sessions.seat(name, request.consistency)
  const keys = [`doc ${location.database}/${location.path}`]
  const document = await sessions.read(seat, keys, call, (view) => view.find(location))
  if (document === undefined) throw new StatusError('NOT_FOUND', `"${request.name}" not found.`)
  const w = new Writer(document.bytes.length + 256)
  writeDocumentFields(w, name, document, masked(document, request.mask))
  await call.send(w.finish())
}
