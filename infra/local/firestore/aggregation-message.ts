import type { FieldPath } from './field-path.ts'
import { type Consistency, readConsistency } from './messages.ts'
import { readQuery, readReference, readWrapped, type StructuredQuery } from './query-message.ts'
import { unimplemented } from './status.ts'
import { Reader } from './wire.ts'

/** `field` is absent for a count; `upTo` only stands there. */
export type Aggregation = {
  readonly alias: string
  readonly op: 'count' | 'sum' | 'average' | undefined
  readonly field: FieldPath | undefined
  readonly upTo: bigint | undefined
}

export type RunAggregation = {
  parent: string
  query: StructuredQuery | undefined
  aggregations: Aggregation[]
  consistency: Consistency
}

function readOperand(r: Reader): FieldPath {
  let path: FieldPath = []
  while (r.next()) {
    if (r.field === 1) path = readReference(r.message())
    else r.skip()
  }
  return path
}

function readCount(r: Reader): bigint | undefined {
  let upTo: bigint | undefined
  while (r.next()) {
    if (r.field === 1) upTo = readWrapped(r.message())
    else r.skip()
  }
  return upTo
}

function readAggregation(r: Reader): Aggregation {
  let aggregation: Aggregation = { alias: '', op: undefined, field: undefined, upTo: undefined }
  while (r.next()) {
    if (r.field === 1) aggregation = { ...aggregation, op: 'count', upTo: readCount(r.message()) }
    else if (r.field === 2)
      aggregation = { ...aggregation, op: 'sum', field: readOperand(r.message()) }
    else if (r.field === 3)
      aggregation = { ...aggregation, op: 'average', field: readOperand(r.message()) }
    else if (r.field === 7) aggregation = { ...aggregation, alias: r.string() }
    else r.skip()
  }
  return aggregation
}

export function readRunAggregation(buffer: Buffer): RunAggregation {
  const outer = new Reader(buffer)
  const request: RunAggregation = {
    parent: '',
    query: undefined,
    aggregations: [],
    consistency: {},
  }
  while (outer.next()) {
    if (outer.field === 1) request.parent = outer.string()
    else if (outer.field === 2) readStructuredAggregation(outer.message(), request)
    else if (outer.field === 8) throw unimplemented('Query explanation is not served here.')
    else readConsistency(outer, request.consistency, { transaction: 4, begin: 5, readTime: 6 })
  }
  return request
}

function readStructuredAggregation(r: Reader, request: RunAggregation): void {
  while (r.next()) {
    if (r.field === 1) request.query = readQuery(r.message())
    else if (r.field === 3) request.aggregations.push(readAggregation(r.message()))
    else r.skip()
  }
}
