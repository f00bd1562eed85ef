import { type Box, blankBox, boxesIn } from './boxes.ts'
import { HeifGraph } from './heif-graph.ts'
import {
  blankItem,
  blankName,
  blankReference,
  type HeifItem,
  readItems,
  readPrimary,
  readReferences,
} from './heif-items.ts'
import { type Extent, inOrder, readLocations } from './heif-locations.ts'
import { HeifProperties } from './heif-properties.ts'
import { damaged, FrameCount, type PhotoLimits, type SegmentCount } from './photo-walk.ts'

/** What a `meta` box says about the bytes after it. */
export type HeifMeta = {
  readonly width: number
  readonly height: number
  /** The type of the photo's coded items. */
  readonly coding: string | undefined
  /** What of the file behind `meta` is photo (`stays`) or EXIF (`exif`); everything else is nothing. */
  readonly ranges: readonly HeifRange[]
  /** The EXIF item, where `idat` holds it. */
  readonly exif: Buffer
}

export type HeifRange = {
  readonly start: number
  readonly end: number
  readonly use: 'stays' | 'exif'
}

const FULL_BOX_BYTES = 4

/** Boxes of which a `meta` has one, and whether it needs it. */
const SINGLE: Readonly<Record<string, boolean>> = {
  hdlr: true,
  pitm: true,
  iinf: true,
  iloc: true,
  iprp: true,
  iref: false,
  idat: false,
  dinf: false,
  grpl: false,
}

/** `dinf` with one data reference: "in this file". */
const SELF_CONTAINED = Buffer.from(
  '0000002464696e660000001c6472656600000000000000010000000c75726c2000000001',
  'hex',
)

/**
 * Reads a whole `meta` box and blanks in place what is not needed to show the photo.
 * Throws `image_damaged` where it can't tell the photo's bytes from others.
 */
export function cleanMeta(bytes: Buffer, segments: SegmentCount, limits: PhotoLimits): HeifMeta {
  const boxes = singleBoxes(bytes, segments)
  const items = readItems(bytes, required(boxes, 'iinf'), segments)
  const iref = boxes.get('iref')
  const references = iref === undefined ? [] : readReferences(bytes, iref, segments)
  const primary = readPrimary(bytes, required(boxes, 'pitm'))
  const graph = new HeifGraph(items, references, primary)
  new FrameCount(limits).add(graph.whole.length)
  const properties = new HeifProperties(bytes, required(boxes, 'iprp'), segments, limits)
  const size = properties.sizeOf(primary)
  if (size === undefined) throw damaged('The image of the file has no size.')
  const extents = readLocations(bytes, required(boxes, 'iloc'), segments)
  checkLocated(items, graph, extents)
  const located = sortOut(bytes, boxes.get('idat'), extents, { items, graph })
  for (const item of items.values()) {
    if (graph.stays(item.id)) blankName(bytes, item)
    else blankItem(bytes, item)
  }
  for (const reference of references) {
    if (!graph.stays(reference.from)) blankReference(bytes, reference)
  }
  return { ...size, coding: graph.codingOf(primary), ...located }
}

function singleBoxes(bytes: Buffer, segments: SegmentCount): Map<string, Box> {
  const boxes = new Map<string, Box>()
  for (const box of boxesIn(bytes, 8 + FULL_BOX_BYTES, bytes.length, segments)) {
    if (SINGLE[box.type] === undefined) {
      blankBox(bytes, box)
    } else if (boxes.has(box.type)) {
      throw damaged('The file describes its items twice.')
    } else {
      boxes.set(box.type, box)
    }
  }
  blankTexts(bytes, boxes, segments)
  return boxes
}

/** The name of the handler, addresses of other files, and groups that hold more than numbers. */
function blankTexts(bytes: Buffer, boxes: Map<string, Box>, segments: SegmentCount): void {
  const hdlr = required(boxes, 'hdlr')
  if (bytes.toString('latin1', hdlr.contentAt + 8, hdlr.contentAt + 12) !== 'pict') {
    throw damaged('The file does not describe images.')
  }
  bytes.fill(0, Math.min(hdlr.contentAt + 24, hdlr.end), hdlr.end)
  const dinf = boxes.get('dinf')
  if (dinf !== undefined && !bytes.subarray(dinf.at, dinf.end).equals(SELF_CONTAINED)) {
    blankBox(bytes, dinf)
  }
  const grpl = boxes.get('grpl')
  if (grpl === undefined) return
  for (const group of boxesIn(bytes, grpl.contentAt, grpl.end, segments)) {
    const ids = group.end - group.contentAt < 12 ? -1 : bytes.readUInt32BE(group.contentAt + 8)
    if (group.end - group.contentAt !== 12 + 4 * ids) blankBox(bytes, group)
  }
}

function required(boxes: ReadonlyMap<string, Box>, type: string): Box {
  const box = boxes.get(type)
  if (box === undefined) throw damaged('The file does not describe its items.')
  return box
}

function checkLocated(
  items: ReadonlyMap<number, HeifItem>,
  graph: HeifGraph,
  extents: readonly Extent[],
): void {
  const located = new Set(extents.map((extent) => extent.itemId))
  for (const id of items.keys()) {
    if (graph.stays(id) && graph.hasBytes(id) && !located.has(id)) {
      throw damaged('An image of the file has no bytes.')
    }
  }
}

/** Blanks `idat` but for the photo, and says which bytes of the file are what. */
function sortOut(
  bytes: Buffer,
  idat: Box | undefined,
  extents: readonly Extent[],
  { items, graph }: { items: ReadonlyMap<number, HeifItem>; graph: HeifGraph },
): { ranges: HeifRange[]; exif: Buffer } {
  const stays = (id: number): boolean => graph.stays(id)
  const isExif = (id: number): boolean => items.get(id)?.type === 'Exif'
  const within = inOrder(
    extents.filter(({ place }) => place === 'idat'),
    stays,
  )
  const exif = within.filter(({ itemId }) => isExif(itemId))
  const ranges = inOrder(
    extents.filter(({ place }) => place === 'file'),
    stays,
  ).flatMap(({ itemId, start, end }): HeifRange[] => {
    if (stays(itemId)) return [{ start, end, use: 'stays' }]
    return isExif(itemId) ? [{ start, end, use: 'exif' }] : []
  })
  const content = idat === undefined ? Buffer.alloc(0) : bytes.subarray(idat.contentAt, idat.end)
  const found = Buffer.concat(exif.map(({ start, end }) => content.subarray(start, end)))
  blankOutside(
    content,
    within.filter(({ itemId }) => stays(itemId)),
  )
  return { ranges, exif: found }
}

function blankOutside(content: Buffer, kept: readonly Extent[]): void {
  let from = 0
  for (const { start, end } of kept) {
    if (end > content.length) throw damaged('An item of the file is not within it.')
    content.fill(0, from, start)
    from = end
  }
  content.fill(0, from)
}
