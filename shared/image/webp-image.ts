import type { PhotoLimits } from './photo-walk.ts'
import { checkDimensions, damaged, FrameCount } from './photo-walk.ts'

type Size = { readonly width: number; readonly height: number }

const FLAG_ANIMATION = 0x02

const PIXELS = new Set(['VP8 ', 'VP8L', 'ALPH'])
const SETTINGS = new Set(['ICCP', 'ANIM'])

/** The canvas of a WebP and the pictures that must fit it (RFC 9649 2.5 to 2.7). */
export class WebpImage {
  #canvas: Size | undefined
  #animated = false
  /** The frame that the walk is in: its size, and whether its picture was seen. */
  #frame: (Size & { pictureSeen: boolean }) | undefined
  readonly #settings = new Set<string>()
  #pictureSeen = false
  #first = true
  readonly #frames: FrameCount
  readonly #limits: PhotoLimits

  constructor(limits: PhotoLimits) {
    this.#limits = limits
    this.#frames = new FrameCount(limits)
  }

  /** At the end: throws `image_damaged` where there was no picture. */
  get dimensions(): Size {
    if (this.#canvas === undefined || (!this.#pictureSeen && this.#frames.seen === 0)) {
      throw damaged('The WebP has no image.')
    }
    return this.#canvas
  }

  /** `content`: what of the chunk says its shape. Throws where the chunk may not come now. */
  follow(type: string, content: Buffer): void {
    if (type === 'VP8X') this.#extended(content)
    else if (this.#first && type !== 'VP8 ' && type !== 'VP8L') {
      throw damaged('The WebP does not begin with an image.')
    }
    this.#first = false
    if (type === 'VP8 ') this.#picture(lossySize(content))
    else if (type === 'VP8L') this.#picture(losslessSize(content))
    else if (type === 'ANMF') this.#animationFrame(content)
  }

  /** Whether the chunk says how the image looks: pixels, and once before them its colours and loops. */
  keeps(type: string): boolean {
    if (PIXELS.has(type)) return true
    if (!SETTINGS.has(type) || this.#settings.has(type) || this.#frame !== undefined) return false
    this.#settings.add(type)
    return !this.#pictureSeen && this.#frames.seen === 0
  }

  endFrame(): void {
    if (this.#frame?.pictureSeen !== true) throw damaged('A frame of the WebP has no image.')
    this.#frame = undefined
  }

  /** VP8X: flags | three bytes | width - 1 and height - 1, three bytes each. */
  #extended(content: Buffer): void {
    if (!this.#first) throw damaged('The WebP has two headers.')
    this.#animated = (content.readUInt8(0) & FLAG_ANIMATION) !== 0
    this.#canvas = this.#checked({
      width: content.readUIntLE(4, 3) + 1,
      height: content.readUIntLE(7, 3) + 1,
    })
  }

  #picture(size: Size): void {
    this.#checked(size)
    if (this.#frame !== undefined) {
      mustMatch(size, this.#frame)
      if (this.#frame.pictureSeen) throw damaged('A frame of the WebP has two images.')
      this.#frame.pictureSeen = true
      return
    }
    if (this.#pictureSeen || this.#animated) throw damaged('The WebP has an image too many.')
    this.#pictureSeen = true
    this.#canvas ??= size
    mustMatch(size, this.#canvas)
  }

  /** ANMF: x / 2, y / 2, width - 1, height - 1, duration: three bytes each | flags. */
  #animationFrame(content: Buffer): void {
    if (!this.#animated || this.#frame !== undefined || this.#canvas === undefined) {
      throw damaged('A frame of the WebP is out of place.')
    }
    this.#frames.add()
    const width = content.readUIntLE(6, 3) + 1
    const height = content.readUIntLE(9, 3) + 1
    const right = 2 * content.readUIntLE(0, 3) + width
    const bottom = 2 * content.readUIntLE(3, 3) + height
    if (right > this.#canvas.width || bottom > this.#canvas.height) {
      throw damaged('A frame lies outside of its image.')
    }
    this.#frame = { width, height, pictureSeen: false }
  }

  #checked(size: Size): Size {
    checkDimensions(size.width, size.height, this.#limits)
    return size
  }
}

function mustMatch(picture: Size, place: Size): void {
  if (picture.width !== place.width || picture.height !== place.height) {
    throw damaged('The WebP says two sizes.')
  }
}

/** VP8 key frame: three bytes of tag | 9D 01 2A | width and height, 14 bits and two of scaling each. */
function lossySize(content: Buffer): Size {
  const isKeyFrame = (content.readUInt8(0) & 1) === 0
  if (!isKeyFrame || content.readUIntBE(3, 3) !== 0x9d012a)
    throw damaged('An image of the WebP is damaged.')
  return { width: content.readUInt16LE(6) & 0x3fff, height: content.readUInt16LE(8) & 0x3fff }
}

/** VP8L: 2F | width - 1 and height - 1 of 14 bits, one bit of alpha, three of version 0. */
function losslessSize(content: Buffer): Size {
  const bits = content.readUInt32LE(1)
  if (content.readUInt8(0) !== 0x2f || bits >>> 29 !== 0)
    throw damaged('An image of the WebP is damaged.')
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
}
