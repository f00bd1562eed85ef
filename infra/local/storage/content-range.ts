import { StorageError } from './errors.ts'

/**
 * What a request on a resumable session says about its bytes (in the header `?` is a star):
 *
 *   bytes 0-262143/?        a part, more will follow
 *   bytes 262144-?/?        from here to the end of the body, which is the end of the object
 *   bytes 0-99/100          a part of a known total (SDKs also write `0--1/0`, an empty one)
 *   bytes ?/100, bytes ?/?  nothing: how far are we?
 *   (no header)             the whole object
 */
export type ContentRange = {
  /** A question without bytes. */
  query: boolean
  /** Offset of the first byte. */
  first: number
  /** Offset behind the last byte; absent where the body's end is the object's end. */
  end?: number
  /** Size of the object, where stated. */
  total?: number
}

const FORM = /^bytes (?:\*|(\d+)-(\d+|\*|-1))\/(\d+|\*)$/
/** Documented limit of one object: 5 TiB. */
export const MAX_OBJECT_BYTES = 5 * 1024 ** 4

const malformed = (source: string) =>
  new StorageError('invalid', `Malformed Content-Range: '${source}'.`)

/** Parses a `Content-Range` request header; 400 where it is malformed or contradicts itself. */
export function parseContentRange(source: string | undefined): ContentRange {
  if (source === undefined) return { query: false, first: 0 }
  const found = FORM.exec(source.trim())
  if (!found) throw malformed(source)
  const [, first, last, total] = found
  const range: ContentRange = { query: first === undefined, first: Number(first ?? 0) }
  if (last !== undefined && last !== '*') range.end = Number(last) + 1
  if (total !== undefined && total !== '*') range.total = Number(total)
  if (!isConsistent(range)) throw malformed(source)
  return range
}

function isConsistent({ first, end, total }: ContentRange): boolean {
  const reach = end ?? first
  return reach >= first && reach <= (total ?? MAX_OBJECT_BYTES) && reach <= MAX_OBJECT_BYTES
}
