import { type Box, BoxReader, blankUnusualName, boxesIn } from './boxes.ts'
import { damaged, type SegmentCount } from './photo-walk.ts'

/** One item of a HEIF file: an image, a piece of one, or metadata. */
export type HeifItem = {
  readonly id: number
  readonly type: string
  /** Its `infe` box, and where in it the names begin. */
  readonly box: Box
  readonly typeAt: number
}

/** One `iref` entry: what `from` is to each of `to` (`thmb` a thumbnail, `dimg` made of, `auxl` alpha). */
export type HeifReference = {
  readonly type: string
  readonly from: number
  readonly to: readonly number[]
  readonly box: Box
}

const FULL_BOX_BYTES = 4

/** `iinf`: the items by id. Throws where an id is taken twice. */
export function readItems(bytes: Buffer, iinf: Box, segments: SegmentCount): Map<number, HeifItem> {
  const reader = new BoxReader(bytes, iinf.contentAt, iinf.end)
  const version = reader.uint(1)
  reader.uint(3)
  const count = reader.uint(version === 0 ? 2 : 4)
  const items = new Map<number, HeifItem>()
  for (const box of boxesIn(bytes, reader.at, iinf.end, segments)) {
    const item = readItem(bytes, box)
    if (items.has(item.id)) throw damaged('Two items of the file have one id.')
    items.set(item.id, item)
  }
  if (items.size !== count) throw damaged('The file has not the items that it says.')
  return items
}

/** `infe`: version 2 or 3 | flags | id | protection | type | name | … */
function readItem(bytes: Buffer, box: Box): HeifItem {
  const reader = new BoxReader(bytes, box.contentAt, box.end)
  const version = reader.uint(1)
  reader.uint(3)
  if (box.type !== 'infe' || (version !== 2 && version !== 3)) {
    throw damaged('An item of the file is not described.')
  }
  const id = reader.uint(version === 2 ? 2 : 4)
  if (reader.uint(2) !== 0) throw damaged('An item of the file is protected.')
  const typeAt = reader.at
  return { id, type: reader.fourCc(), box, typeAt }
}

/** `iref`: version 0 has ids of two bytes, version 1 of four. */
export function readReferences(bytes: Buffer, iref: Box, segments: SegmentCount): HeifReference[] {
  const idBytes = new BoxReader(bytes, iref.contentAt, iref.end).uint(1) === 0 ? 2 : 4
  return boxesIn(bytes, iref.contentAt + FULL_BOX_BYTES, iref.end, segments).map((box) => {
    const reader = new BoxReader(bytes, box.contentAt, box.end)
    const from = reader.uint(idBytes)
    const count = reader.uint(2)
    segments.add(count)
    const to = Array.from({ length: count }, () => reader.uint(idBytes))
    return { type: box.type, from, to, box }
  })
}

/** `pitm`: the item that is the photo. */
export function readPrimary(bytes: Buffer, pitm: Box): number {
  const reader = new BoxReader(bytes, pitm.contentAt, pitm.end)
  const version = reader.uint(1)
  reader.uint(3)
  return reader.uint(version === 0 ? 2 : 4)
}

const NO_ITEM = 'skip'

const USUAL_NAMES = new Set(['', 'Color', 'Alpha'])

/** Makes an item one of a type that no reader knows, without name or content type. */
export function blankItem(bytes: Buffer, item: HeifItem): void {
  bytes.write(NO_ITEM, item.typeAt, 'latin1')
  bytes.fill(0, item.typeAt + 4, item.box.end)
}

/** Blanks the name of an item that stays. */
export function blankName(bytes: Buffer, item: HeifItem): void {
  blankUnusualName(bytes, item.typeAt + 4, item.box.end, USUAL_NAMES)
}

/** Makes a reference one of a type that no reader knows. */
export function blankReference(bytes: Buffer, reference: HeifReference): void {
  bytes.write(NO_ITEM, reference.box.at + 4, 'latin1')
}
