import { type Box, BoxReader } from './boxes.ts'
import type { HeifGraph } from './heif-graph.ts'
import { type Extent, type ItemUse, inOrder } from './heif-locations.ts'
import type { HeifProperties } from './heif-properties.ts'
import { damaged } from './photo-walk.ts'

/** Bytes of the file that are kept (pixels, grids) or read and blanked (EXIF). */
export type HeifRange = {
  readonly start: number
  readonly end: number
  readonly use: ItemUse
  /** Present for a grid: what it must say. */
  readonly grid?: GridShape | undefined
}

/** What else in the file says about a grid: its `ispe`, and the tiles that it is made of. */
export type GridShape = {
  readonly width: number
  readonly height: number
  readonly tiles: number
}

/** Longest description of a grid. */
export const GRID_BYTES = 12

/** The ranges outside of `meta` by their place. */
export function rangesInFile(
  extents: readonly Extent[],
  graph: HeifGraph,
  properties: HeifProperties,
): HeifRange[] {
  return place(extents, 'file', graph)
    .map(({ itemId, start, end }) => {
      const use = graph.useOf(itemId)
      return {
        start,
        end,
        use,
        grid: use === 'grid' ? shape(itemId, graph, properties) : undefined,
      }
    })
    .filter(({ use }) => use !== 'nothing')
}

/** Blanks `idat` but for images. Returns the EXIF item that was in it, or nothing. */
export function cleanIdat(
  bytes: Buffer,
  idat: Box | undefined,
  extents: readonly Extent[],
  { graph, properties }: { graph: HeifGraph; properties: HeifProperties },
): Buffer {
  const content = idat === undefined ? Buffer.alloc(0) : bytes.subarray(idat.contentAt, idat.end)
  const exif: Buffer[] = []
  let from = 0
  for (const { itemId, start, end } of place(extents, 'idat', graph)) {
    if (end > content.length) throw damaged('An item of the file is not within it.')
    const item = content.subarray(start, end)
    const use = graph.useOf(itemId)
    if (use === 'exif') exif.push(Buffer.from(item))
    else if (use === 'grid') checkGrid(item, shape(itemId, graph, properties))
    if (graph.stays(itemId)) {
      content.fill(0, from, start)
      from = end
    }
  }
  content.fill(0, from)
  return Buffer.concat(exif)
}

/**
 * ImageGrid (ISO 23008-12 6.6.2.3): version | flags, 1 for long sides | rows - 1 | columns - 1 | width |
 * height. Throws `image_damaged` where it contradicts the rest of the file.
 */
export function checkGrid(item: Buffer, { width, height, tiles }: GridShape): void {
  const reader = new BoxReader(item, 0, item.length)
  reader.uint(1)
  const sideBytes = reader.uint(1) & 1 ? 4 : 2
  const count = (reader.uint(1) + 1) * (reader.uint(1) + 1)
  if (count !== tiles || reader.uint(sideBytes) !== width || reader.uint(sideBytes) !== height) {
    throw damaged('A grid of the file says two sizes.')
  }
}

function shape(itemId: number, graph: HeifGraph, properties: HeifProperties): GridShape {
  const size = properties.sizeOf(itemId)
  if (size === undefined) throw damaged('An image of the file has no size.')
  return { ...size, tiles: graph.inputsOf(itemId) }
}

function place(extents: readonly Extent[], where: Extent['place'], graph: HeifGraph): Extent[] {
  return inOrder(
    extents.filter((extent) => extent.place === where),
    (itemId) => graph.useOf(itemId),
  )
}
