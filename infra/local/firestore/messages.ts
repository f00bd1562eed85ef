import { type FieldPath, parseFieldPath } from './field-path.ts'
import {
  type Fields,
  readArray,
  readEntry,
  readTimestamp,
  readValue,
  type Timestamp,
  type Value,
} from './value.ts'
import { Reader } from './wire.ts'

/*
 * The request messages of google.firestore.v1 without queries (those are in query-message.ts).
 * Field numbers are those of google/firestore/v1/{firestore,write,common,document}.proto.
 */

export type Precondition = { readonly exists?: boolean; readonly updateTime?: Timestamp }

export type TransformOperation =
  | { readonly kind: 'requestTime' }
  | { readonly kind: 'increment' | 'maximum' | 'minimum'; readonly operand: Value }
  | { readonly kind: 'union' | 'remove'; readonly values: readonly Value[] }
  | { readonly kind: 'none' }
export type Transform = { readonly path: FieldPath; readonly operation: TransformOperation }

/** One write; `fields` absent means delete, or (with `transformOnly`) nothing but transforms. */
export type Write = {
  readonly name: string
  readonly kind: 'update' | 'delete' | 'transform' | 'empty'
  readonly fields: Fields
  readonly mask: readonly FieldPath[] | undefined
  readonly transforms: readonly Transform[]
  readonly precondition: Precondition
}

/** Which transaction a request belongs to: an existing one, one to begin, a past time, or none. */
export type Consistency = {
  transaction?: Buffer
  begin?: { readonly readOnly: boolean; readonly readTime: boolean }
  readTime?: boolean
}

/** DocumentMask. */
export function readMask(r: Reader): FieldPath[] {
  const paths: FieldPath[] = []
  while (r.next()) {
    if (r.field === 1) paths.push(parseFieldPath(r.string()))
    else r.skip()
  }
  return paths
}

function readPrecondition(r: Reader): Precondition {
  let precondition: Precondition = {}
  while (r.next()) {
    if (r.field === 1) precondition = { exists: r.bool() }
    else if (r.field === 2) precondition = { updateTime: readTimestamp(r.message()) }
    else r.skip()
  }
  return precondition
}

function readOperation(r: Reader): TransformOperation {
  switch (r.field) {
    case 2:
      return r.int32() === 1 ? { kind: 'requestTime' } : { kind: 'none' }
    case 3:
      return { kind: 'increment', operand: readValue(r.message()) }
    case 4:
      return { kind: 'maximum', operand: readValue(r.message()) }
    case 5:
      return { kind: 'minimum', operand: readValue(r.message()) }
    case 6:
      return { kind: 'union', values: readArray(r.message()) }
    case 7:
      return { kind: 'remove', values: readArray(r.message()) }
    default:
      r.skip()
      return { kind: 'none' }
  }
}

function readTransform(r: Reader): Transform {
  let path = ''
  let operation: TransformOperation = { kind: 'none' }
  while (r.next()) {
    if (r.field === 1) path = r.string()
    else operation = readOperation(r)
  }
  return { path: parseFieldPath(path), operation }
}

type OpenWrite = { -readonly [Part in keyof Write]: Write[Part] }

function readDocument(r: Reader, write: OpenWrite): void {
  const fields = new Map<string, Value>()
  write.kind = 'update'
  write.name = ''
  write.fields = fields
  while (r.next()) {
    if (r.field === 1) write.name = r.string()
    else if (r.field === 2) readEntry(r.message(), fields)
    else r.skip()
  }
}

function readDocumentTransform(r: Reader, write: OpenWrite): void {
  const transforms: Transform[] = []
  write.kind = 'transform'
  write.name = ''
  write.transforms = transforms
  while (r.next()) {
    if (r.field === 1) write.name = r.string()
    else if (r.field === 2) transforms.push(readTransform(r.message()))
    else r.skip()
  }
}

const NO_FIELDS: Fields = new Map()

function readWrite(r: Reader): Write {
  const transforms: Transform[] = []
  const write: OpenWrite = {
    name: '',
    kind: 'empty',
    fields: NO_FIELDS,
    mask: undefined,
    transforms,
    precondition: {},
  }
  while (r.next()) {
    switch (r.field) {
      case 1:
        readDocument(r.message(), write)
        break
      case 2:
        write.kind = 'delete'
        write.name = r.string()
        break
      case 3:
        write.mask = readMask(r.message())
        break
      case 4:
        write.precondition = readPrecondition(r.message())
        break
      case 6:
        readDocumentTransform(r.message(), write)
        break
      case 7:
        transforms.push(readTransform(r.message()))
        break
      default:
        r.skip()
    }
  }
  return write
}

/** TransactionOptions: absent or read_write means read-write. */
export function readOptions(r: Reader): { readOnly: boolean; readTime: boolean } {
  const options = { readOnly: false, readTime: false }
  while (r.next()) {
    if (r.field !== 2) {
      r.skip()
      continue
    }
    options.readOnly = true
    const inner = r.message()
    while (inner.next()) {
      if (inner.field === 2) options.readTime = true
      inner.skip()
    }
  }
  return options
}

/** CommitRequest and BatchWriteRequest: database 1, writes 2, transaction 3 (labels 3 in BatchWrite, ignored). */
export function readCommit(buffer: Buffer): {
  database: string
  writes: Write[]
  transaction: Buffer
} {
  const r = new Reader(buffer)
  const request = { database: '', writes: [] as Write[], transaction: Buffer.alloc(0) }
  while (r.next()) {
    if (r.field === 1) request.database = r.string()
    else if (r.field === 2) request.writes.push(readWrite(r.message()))
    else if (r.field === 3) request.transaction = Buffer.from(r.bytes())
    else r.skip()
  }
  return request
}

export type BatchGet = {
  database: string
  documents: string[]
  mask: readonly FieldPath[] | undefined
  consistency: Consistency
}

export function readBatchGet(buffer: Buffer): BatchGet {
  const r = new Reader(buffer)
  const request: BatchGet = { database: '', documents: [], mask: undefined, consistency: {} }
  while (r.next()) {
    switch (r.field) {
      case 1:
        request.database = r.string()
        break
      case 2:
        request.documents.push(r.string())
        break
      case 3:
        request.mask = readMask(r.message())
        break
      default:
        readConsistency(r, request.consistency, { transaction: 4, begin: 5, readTime: 7 })
    }
  }
  return request
}

/** Reads one field of the consistency selector, whose numbers differ from request to request. */
export function readConsistency(
  r: Reader,
  consistency: Consistency,
  numbers: { transaction: number; begin: number; readTime: number },
): void {
  if (r.field === numbers.transaction) consistency.transaction = Buffer.from(r.bytes())
  else if (r.field === numbers.begin) consistency.begin = readOptions(r.message())
  else {
    if (r.field === numbers.readTime) consistency.readTime = true
    r.skip()
  }
}

/** BeginTransactionRequest (options 2) and RollbackRequest (transaction 2). */
export function readTransactionRequest(buffer: Buffer): { database: string; second: Buffer } {
  const r = new Reader(buffer)
  const request = { database: '', second: Buffer.alloc(0) }
  while (r.next()) {
    if (r.field === 1) request.database = r.string()
    else if (r.field === 2) request.second = Buffer.from(r.bytes())
    else r.skip()
  }
  return request
}
