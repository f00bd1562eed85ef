import { EXIF_BYTES, readExif } from './exif.ts'
import { cleanMeta, type HeifMeta } from './heif-meta.ts'
import { checkGrid, GRID_BYTES, type HeifRange } from './heif-ranges.ts'
import type { PhotoBytes } from './photo-bytes.ts'
import {
  damaged,
  type FormatWalk,
  type PhotoLimits,
  SegmentCount,
  type Walk,
} from './photo-walk.ts'
import { MAX_FTYP_BYTES, sequenceRefused } from './sniff.ts'

/**
 * HEIC and AVIF (ISO 23008-12 in ISO 14496-12):
 *
 *   ftyp | meta: what the items are, how they look, where their bytes are | mdat: their bytes | …
 *
 * Offsets count from the start of the file, so everything keeps its place: what is not a byte of the
 * photo becomes zero, metadata items get a type that no reader knows. The file ends with the box that
 * holds the last byte of the photo; films and other files behind it are cut.
 */
const HEAD_BYTES = 8
const LARGE_HEAD_BYTES = 16

/** Longest `meta` that is held: a photo of 200 million pixels in tiles needs some 30 KB and its profile. */
const MAX_META_BYTES = 1_048_576

const FREE = Buffer.from('free')

type TopBox = {
  readonly type: string
  readonly headBytes: number
  /** Offset in the file. */
  readonly end: number
}

/** Follows a HEIC. */
export const walkHeic: FormatWalk = (photo, limits) => new IsobmffWalk(photo, limits, 'hvc1').run()

/** Follows an AVIF. */
export const walkAvif: FormatWalk = (photo, limits) => new IsobmffWalk(photo, limits, 'av01').run()

class IsobmffWalk {
  #meta: HeifMeta | undefined
  #range = 0
  #exif: Buffer[] = []
  #exifBytes = 0
  readonly #segments = new SegmentCount()
  readonly #photo: PhotoBytes
  readonly #limits: PhotoLimits
  readonly #coding: string

  constructor(photo: PhotoBytes, limits: PhotoLimits, coding: string) {
    this.#photo = photo
    this.#limits = limits
    this.#coding = coding
  }

  *run(): ReturnType<FormatWalk> {
    const ftyp = yield* this.#peekBox()
    if (ftyp.end > MAX_FTYP_BYTES) throw damaged('A box of the file has a wrong size.')
    yield* this.#photo.pass(ftyp.end)
    let meta: HeifMeta | undefined
    while (meta === undefined || this.#next !== undefined) {
      yield* this.#box(yield* this.#peekBox())
      meta = this.#meta
    }
    const exif = readItemExif(Buffer.concat(this.#exif))
    return { width: meta.width, height: meta.height, takenAt: exif }
  }

  get #next(): HeifRange | undefined {
    return this.#meta?.ranges[this.#range]
  }

  *#peekBox(): Walk<TopBox> {
    const { position } = this.#photo
    const head = yield* this.#photo.peek(HEAD_BYTES)
    const type = head.toString('latin1', 4, 8)
    let size = head.readUInt32BE(0)
    let headBytes = HEAD_BYTES
    if (size === 1) {
      headBytes = LARGE_HEAD_BYTES
      size = Number((yield* this.#photo.peek(LARGE_HEAD_BYTES)).readBigUInt64BE(HEAD_BYTES))
    }
    if (size < headBytes || size > Number.MAX_SAFE_INTEGER) {
      throw damaged('A box of the file has a wrong size.')
    }
    this.#segments.add()
    return { type, headBytes, end: position + size }
  }

  *#box(box: TopBox): Walk<void> {
    const start = this.#photo.position + box.headBytes
    const next = this.#next
    if (next !== undefined && next.start < (box.type === 'mdat' ? start : box.end)) {
      throw damaged('An item of the file is not where it should be.')
    }
    if (box.type === 'meta') return yield* this.#metaBox(box)
    if (box.type === 'mdat') return yield* this.#mediaBox(box)
    if (box.type === 'moov' || box.type === 'moof') throw sequenceRefused()
    if (box.type === 'ftyp') throw damaged('The file begins twice.')
    yield* this.#photo.pass(4)
    yield* this.#photo.drop(4)
    this.#photo.insert(FREE)
    yield* this.#photo.pass(box.headBytes - HEAD_BYTES)
    yield* this.#photo.blank(box.end - this.#photo.position)
  }

  *#metaBox(box: TopBox): Walk<void> {
    const bytes = box.end - this.#photo.position
    if (this.#meta !== undefined) throw damaged('The file describes its items twice.')
    if (bytes > MAX_META_BYTES || box.headBytes !== HEAD_BYTES) {
      throw damaged('The description of the items is too large.')
    }
    const cleaned = Buffer.from(yield* this.#photo.peek(bytes))
    const meta = cleanMeta(cleaned, this.#segments, this.#limits)
    if (meta.coding !== this.#coding) throw damaged('The image is not coded as the file says.')
    this.#meta = meta
    this.#keepExif(meta.exif)
    yield* this.#photo.drop(bytes)
    this.#photo.insert(cleaned)
  }

  *#mediaBox(box: TopBox): Walk<void> {
    if (this.#meta === undefined) throw damaged('The image data comes before its description.')
    yield* this.#photo.pass(box.headBytes)
    for (let range = this.#next; range !== undefined && range.start < box.end; range = this.#next) {
      if (range.end > box.end) throw damaged('An item of the file is not within it.')
      yield* this.#photo.blank(range.start - this.#photo.position)
      yield* this.#itemBytes(range)
      this.#range += 1
    }
    yield* this.#photo.blank(box.end - this.#photo.position)
  }

  *#itemBytes({ start, end, use, grid }: HeifRange): Walk<void> {
    const length = end - start
    if (use === 'exif') {
      this.#keepExif(yield* this.#photo.peek(Math.min(length, EXIF_BYTES)))
      return yield* this.#photo.blank(length)
    }
    if (grid !== undefined) {
      checkGrid(yield* this.#photo.peek(Math.min(length, GRID_BYTES)), grid)
    }
    yield* this.#photo.pass(length)
  }

  #keepExif(bytes: Buffer): void {
    const kept = bytes.subarray(0, EXIF_BYTES - this.#exifBytes)
    this.#exifBytes += kept.length
    this.#exif.push(Buffer.from(kept))
  }
}

/** An EXIF item: bytes before the TIFF block, four bytes | those | TIFF. */
function readItemExif(item: Buffer): Date | undefined {
  if (item.length < 4) return undefined
  return readExif(item.subarray(Math.min(4 + item.readUInt32BE(0), item.length))).takenAt
}
