import type { PhotoLimits } from './photo-walk.ts'
import { checkDimensions, damaged } from './photo-walk.ts'

export type PngChunk = {
  /** Four letters; a capital in front means that no decoder may skip it. */
  readonly type: string
  /** Bytes of its content. */
  readonly length: number
}

export type PngHeader = {
  readonly width: number
  readonly height: number
  /** 0 grey, 2 colour, 3 palette, 4 grey with alpha, 6 colour with alpha. */
  readonly colourType: number
}

/** Bit depths that go with each colour type. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
}

/** IHDR: width | height | bit depth | colour type | compression | filter | interlace. */
export function readHeader(content: Buffer, limits: PhotoLimits): PngHeader {
  const width = content.readUInt32BE(0)
  const height = content.readUInt32BE(4)
  const colourType = content.readUInt8(9)
  checkDimensions(width, height, limits)
  const known = DEPTHS[colourType]?.includes(content.readUInt8(8)) === true
  if (!known || content.readUInt16BE(10) !== 0 || content.readUInt8(12) > 1) {
    throw damaged('The header of the PNG is damaged.')
  }
  return { width, height, colourType }
}

/** Where the critical chunks of a PNG may stand (PNG third edition 5.6). */
export class PngOrder {
  #headerSeen = false
  #paletteSeen = false
  #pixels: 'none yet' | 'running' | 'over' = 'none yet'
  readonly #header: PngHeader

  constructor(header: PngHeader) {
    this.#header = header
  }

  /** Throws `image_damaged` where the chunk may not come now. Says whether it holds pixels. */
  follow(chunk: PngChunk): boolean {
    if (chunk.type === 'IDAT') this.#data()
    else if (this.#pixels === 'running') this.#pixels = 'over'
    if (chunk.type === 'IHDR') this.#first()
    else if (chunk.type === 'PLTE') this.#palette(chunk)
    else if (chunk.type === 'IEND') this.#end(chunk)
    else if (chunk.type !== 'IDAT' && /^[A-Z]/.test(chunk.type)) {
      throw damaged('The PNG has a chunk that is not known.')
    }
    return chunk.type === 'IDAT' || chunk.type === 'fdAT'
  }

  #first(): void {
    if (this.#headerSeen) throw damaged('The PNG has two headers.')
    this.#headerSeen = true
  }

  #palette(chunk: PngChunk): void {
    const { colourType } = this.#header
    const allowed = colourType === 2 || colourType === 3 || colourType === 6
    const sized = chunk.length > 0 && chunk.length <= 768 && chunk.length % 3 === 0
    if (this.#paletteSeen || this.#pixels !== 'none yet' || !allowed || !sized) {
      throw damaged('The palette of the PNG is damaged.')
    }
    this.#paletteSeen = true
  }

  #data(): void {
    if (this.#pixels === 'over') throw damaged('The image data of the PNG is torn apart.')
    if (this.#header.colourType === 3 && !this.#paletteSeen)
      throw damaged('The PNG has no palette.')
    this.#pixels = 'running'
  }

  #end(chunk: PngChunk): void {
    if (chunk.length !== 0 || this.#pixels === 'none yet') throw damaged('The PNG has no image.')
  }
}
