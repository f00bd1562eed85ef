import type { PhotoLimits } from './photo-walk.ts'
import { damaged, FrameCount } from './photo-walk.ts'
import type { PngChunk, PngHeader } from './png-chunks.ts'

/**
 * APNG (PNG third edition 4.9): acTL before the image says how many frames; each fcTL begins one, whose
 * pixels are the IDAT of the still image or its own fdAT. fcTL and fdAT are numbered in one row.
 */
export class PngAnimation {
  #frames: number | undefined
  #next = 0
  #imageSeen = false
  readonly #count: FrameCount
  readonly #limits: PhotoLimits
  readonly #header: PngHeader

  constructor(header: PngHeader, limits: PhotoLimits) {
    this.#header = header
    this.#limits = limits
    this.#count = new FrameCount(limits)
  }

  /** False for frames of a file that is no animation: no decoder shows them. */
  wants(chunk: PngChunk): boolean {
    return this.#frames !== undefined || (chunk.type !== 'fcTL' && chunk.type !== 'fdAT')
  }

  /** `content`: all of acTL and fcTL, the first four bytes of fdAT. */
  follow(chunk: PngChunk, content: Buffer): void {
    if (chunk.type === 'acTL') this.#begin(content)
    else if (chunk.type === 'IDAT') this.#imageSeen = true
    if (this.#frames === undefined) return
    if (chunk.type === 'fcTL') this.#frame(content)
    else if (chunk.type === 'fdAT') this.#number(content)
  }

  /** At IEND: every frame that was promised has begun. */
  end(): void {
    if (this.#frames !== undefined && this.#frames !== this.#count.seen) {
      throw damaged('The animation has not the frames that it says.')
    }
  }

  #begin(content: Buffer): void {
    const frames = content.readUInt32BE(0)
    if (this.#frames !== undefined || this.#imageSeen || frames === 0) {
      throw damaged('The animation control of the PNG is damaged.')
    }
    new FrameCount(this.#limits).add(frames)
    this.#frames = frames
  }

  /** fcTL: number | width | height | x | y | delay | disposal | blending. */
  #frame(content: Buffer): void {
    this.#number(content)
    this.#count.add()
    const width = content.readUInt32BE(4)
    const height = content.readUInt32BE(8)
    const right = content.readUInt32BE(12) + width
    const bottom = content.readUInt32BE(16) + height
    if (!width || !height || right > this.#header.width || bottom > this.#header.height) {
      throw damaged('A frame lies outside of its image.')
    }
  }

  #number(content: Buffer): void {
    if (content.readUInt32BE(0) !== this.#next) throw damaged('The frames are out of order.')
    this.#next += 1
  }
}
