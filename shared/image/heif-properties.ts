import { type Box, BoxReader, blankBox, boxesIn } from './boxes.ts'
import { checkDimensions, damaged, type PhotoLimits, type SegmentCount } from './photo-walk.ts'

/** How items look: size, coding, colour, rotation, crop, alpha. Names, texts and times of an item go. */
const KEPT = new Set(
  (
    'ispe pixi pasp clap irot imir auxC hvcC lhvC av1C a1op a1lx lsel oinf tols ' +
    'clli mdcv cclv amve reve ndwt rloc iscl layo'
  ).split(' '),
)

/** `colr` types: coded numbers, and the two kinds of ICC profile. */
const COLOURS = new Set(['nclx', 'prof', 'rICC'])

const FULL_BOX_BYTES = 4
const ISPE_BYTES = 20

type Size = { readonly width: number; readonly height: number }

/** `iprp`: a list of properties (`ipco`), and which items have which of them (`ipma`). */
export class HeifProperties {
  readonly #sizes = new Map<number, Size>()

  /** Reads the sizes, and blanks in `bytes` what says more than how items look. */
  constructor(bytes: Buffer, iprp: Box, segments: SegmentCount, limits: PhotoLimits) {
    const boxes = boxesIn(bytes, iprp.contentAt, iprp.end, segments)
    const lists = boxes.filter((box) => box.type === 'ipco')
    const [ipco] = lists
    if (ipco === undefined || lists.length > 1) throw damaged('The file has no list of properties.')
    const properties = boxesIn(bytes, ipco.contentAt, ipco.end, segments).map((box) =>
      property(bytes, box, limits),
    )
    for (const box of boxes) {
      if (box.type === 'ipma') this.#associate(bytes, box, properties, segments)
      else if (box.type !== 'ipco') blankBox(bytes, box)
    }
  }

  /** Pixels of an item; absent where the file does not say. */
  sizeOf(itemId: number): Size | undefined {
    return this.#sizes.get(itemId)
  }

  /** `ipma`: entries of an item's id and its properties, each a bit "essential" and an index from 1. */
  #associate(
    bytes: Buffer,
    ipma: Box,
    properties: readonly Property[],
    segments: SegmentCount,
  ): void {
    const reader = new BoxReader(bytes, ipma.contentAt, ipma.end)
    const idBytes = reader.uint(1) === 0 ? 2 : 4
    const indexBytes = reader.uint(3) & 1 ? 2 : 1
    const essentialBit = indexBytes === 2 ? 0x8000 : 0x80
    const entries = reader.uint(4)
    for (let entry = 0; entry < entries; entry += 1) {
      const itemId = reader.uint(idBytes)
      const count = reader.uint(1)
      segments.add(1 + count)
      for (let at = 0; at < count; at += 1) {
        const value = reader.uint(indexBytes)
        const found = properties[(value & (essentialBit - 1)) - 1]
        if (found !== undefined) this.#add(itemId, found, (value & essentialBit) !== 0)
      }
    }
  }

  #add(itemId: number, { kept, size }: Property, essential: boolean): void {
    if (!kept && essential) throw damaged('The file needs a property that is not known.')
    if (size === undefined) return
    if (this.#sizes.has(itemId)) throw damaged('An image of the file has two sizes.')
    this.#sizes.set(itemId, size)
  }
}

type Property = { readonly kept: boolean; readonly size?: Size }

function property(bytes: Buffer, box: Box, limits: PhotoLimits): Property {
  if (!stays(bytes, box)) {
    blankBox(bytes, box)
    return { kept: false }
  }
  if (box.type !== 'ispe') return { kept: true }
  if (box.end - box.at !== ISPE_BYTES) throw damaged('The size of an image has a wrong size.')
  const reader = new BoxReader(bytes, box.contentAt + FULL_BOX_BYTES, box.end)
  const size = { width: reader.uint(4), height: reader.uint(4) }
  checkDimensions(size.width, size.height, limits)
  return { kept: true, size }
}

function stays(bytes: Buffer, box: Box): boolean {
  if (box.type !== 'colr') return KEPT.has(box.type)
  return COLOURS.has(new BoxReader(bytes, box.contentAt, box.end).fourCc())
}
