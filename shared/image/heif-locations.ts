import { type Box, BoxReader } from './boxes.ts'
import { damaged, type SegmentCount } from './photo-walk.ts'

/** Bytes of an item: `start` to `end`, in the file or in the `idat` box. */
export type Extent = {
  readonly itemId: number
  readonly place: 'file' | 'idat'
  readonly start: number
  readonly end: number
}

type FieldBytes = {
  readonly version: number
  readonly id: number
  readonly offset: number
  readonly length: number
  readonly base: number
  readonly index: number
}

const SIZES = new Set([0, 4, 8])

/**
 * `iloc` (ISO 14496-12 8.11.3): where the bytes of each item are.
 * Throws `image_damaged` for bytes in other files or items, for empty extents, and for an item told twice.
 */
export function readLocations(bytes: Buffer, iloc: Box, segments: SegmentCount): Extent[] {
  const reader = new BoxReader(bytes, iloc.contentAt, iloc.end)
  const fields = readFieldBytes(reader)
  const count = reader.uint(fields.version < 2 ? 2 : 4)
  const seen = new Set<number>()
  const extents: Extent[] = []
  for (let item = 0; item < count; item += 1) {
    segments.add()
    const located = readItemExtents(reader, fields, segments)
    if (seen.has(located.id)) throw damaged('An item of the file is located twice.')
    seen.add(located.id)
    extents.push(...located.extents)
  }
  return extents
}

function readFieldBytes(reader: BoxReader): FieldBytes {
  const version = reader.uint(1)
  reader.uint(3)
  const sizes = reader.uint(2)
  const fields = {
    version,
    id: version < 2 ? 2 : 4,
    offset: sizes >> 12,
    length: (sizes >> 8) & 15,
    base: (sizes >> 4) & 15,
    index: version === 0 ? 0 : sizes & 15,
  }
  const known = [fields.offset, fields.length, fields.base, fields.index].every((n) => SIZES.has(n))
  if (version > 2 || !known) throw damaged('The item locations of the file are damaged.')
  return fields
}

function readItemExtents(
  reader: BoxReader,
  fields: FieldBytes,
  segments: SegmentCount,
): { id: number; extents: Extent[] } {
  const itemId = reader.uint(fields.id)
  const method = fields.version === 0 ? 0 : reader.uint(2) & 15
  if (method > 1 || reader.uint(2) !== 0) throw damaged('An item of the file is not within it.')
  const base = reader.uint(fields.base)
  const count = reader.uint(2)
  segments.add(count)
  const extents = Array.from({ length: count }, (): Extent => {
    reader.uint(fields.index)
    const start = base + reader.uint(fields.offset)
    const length = reader.uint(fields.length)
    if (length === 0) throw damaged('An item of the file has no size.')
    return { itemId, place: method === 0 ? 'file' : 'idat', start, end: start + length }
  })
  return { id: itemId, extents }
}

/** What the bytes of an item are for: pixels, the shape of a grid, EXIF, or nothing that is kept. */
export type ItemUse = 'pixels' | 'grid' | 'exif' | 'nothing'

/**
 * The extents by their place, each place once. Two items may share the same bytes, as encoders that write
 * equal data once do, if both are for the same; throws `image_damaged` where extents overlap otherwise.
 */
export function inOrder(extents: readonly Extent[], useOf: (itemId: number) => ItemUse): Extent[] {
  const ordered: Extent[] = []
  for (const extent of extents.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const before = ordered.at(-1)
    if (before === undefined || before.end <= extent.start) {
      ordered.push(extent)
      continue
    }
    const same = before.start === extent.start && before.end === extent.end
    if (!same || useOf(before.itemId) !== useOf(extent.itemId)) {
      throw damaged('Items of the file overlap.')
    }
  }
  return ordered
}
