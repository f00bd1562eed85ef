import { type Box, blankBox, blankUnusualName, boxesIn } from './boxes.ts'
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
import { type Extent, readLocations } from './heif-locations.ts'
import { HeifProperties } from './heif-properties.ts'
import { cleanIdat, type HeifRange, rangesInFile } from './heif-ranges.ts'
import { damaged, FrameCount, type PhotoLimits, type SegmentCount } from './photo-walk.ts'

/** What a `meta` box says about the bytes after it. */
export type HeifMeta = {
  readonly width: number
  readonly height: number
  /** The type of the photo's coded items. */
  readonly coding: string | undefined
  /** What of the file behind `meta` is kept or read; everything else becomes zero. */
  readonly ranges: readonly HeifRange[]
  /** The EXIF item, where `idat` holds it. */
  readonly exif: Buffer
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

const USUAL_HANDLERS = new Set(['', 'libavif', 'PictureHandler'])

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
  const ranges = rangesInFile(extents, graph, properties)
  const exif = cleanIdat(bytes, boxes.get('idat'), extents, { graph, properties })
  for (const item of items.values()) {
    if (graph.stays(item.id)) blankName(bytes, item)
    else blankItem(bytes, item)
  }
  for (const reference of references) {
    if (!graph.stays(reference.from)) blankReference(bytes, reference)
  }
  return { ...size, coding: graph.codingOf(primary), ranges, exif }
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
  blankUnusualName(bytes, Math.min(hdlr.contentAt + 24, hdlr.end), hdlr.end, USUAL_HANDLERS)
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
