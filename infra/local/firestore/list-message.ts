import type { FieldPath } from './field-path.ts'
import { type Consistency, readConsistency, readMask } from './messages.ts'
import { Reader } from './wire.ts'

export type ListDocuments = {
  parent: string
  collectionId: string
  /** 0 means the server chooses. */
  pageSize: number
  pageToken: string
  orderBy: string
  mask: readonly FieldPath[] | undefined
  showMissing: boolean
  consistency: Consistency
}

export function readListDocuments(buffer: Buffer): ListDocuments {
  const r = new Reader(buffer)
  const request: ListDocuments = {
    parent: '',
    collectionId: '',
    pageSize: 0,
    pageToken: '',
    orderBy: '',
    mask: undefined,
    showMissing: false,
    consistency: {},
  }
  while (r.next()) readListField(r, request)
  return request
}

function readListField(r: Reader, request: ListDocuments): void {
  switch (r.field) {
    case 1:
      request.parent = r.string()
      return
    case 2:
      request.collectionId = r.string()
      return
    case 3:
      request.pageSize = r.int32()
      return
    case 4:
      request.pageToken = r.string()
      return
    case 6:
      request.orderBy = r.string()
      return
    case 7:
      request.mask = readMask(r.message())
      return
    case 12:
      request.showMissing = r.bool()
      return
    default:
      readConsistency(r, request.consistency, { transaction: 8, begin: 0, readTime: 10 })
  }
}

export type ListCollectionIds = {
  parent: string
  pageSize: number
  pageToken: string
  readTime: boolean
}

export function readListCollectionIds(buffer: Buffer): ListCollectionIds {
  const r = new Reader(buffer)
  const request: ListCollectionIds = { parent: '', pageSize: 0, pageToken: '', readTime: false }
  while (r.next()) {
    switch (r.field) {
      case 1:
        request.parent = r.string()
        break
      case 2:
        request.pageSize = r.int32()
        break
      case 3:
        request.pageToken = r.string()
        break
      case 4:
        request.readTime = true
        r.skip()
        break
      default:
        r.skip()
    }
  }
  return request
}

export type GetDocument = {
  name: string
  mask: readonly FieldPath[] | undefined
  consistency: Consistency
}

export function readGetDocument(buffer: Buffer): GetDocument {
  const r = new Reader(buffer)
  const request: GetDocument = { name: '', mask: undefined, consistency: {} }
  while (r.next()) {
    if (r.field === 1) request.name = r.string()
    else if (r.field === 2) request.mask = readMask(r.message())
    else readConsistency(r, request.consistency, { transaction: 3, begin: 0, readTime: 5 })
  }
  return request
}
