import { damaged, type SegmentCount } from './photo-walk.ts'

/**
 * A box of ISO-BMFF (ISO 14496-12 4.2) in bytes that are held: size, counting itself | type | content.
 * Offsets are those in the held bytes.
 */
export type Box = {
  readonly type: string
  readonly at: number
  readonly contentAt: number
  readonly end: number
}

export const BOX_HEAD_BYTES = 8

const FREE = 'free'

/** The boxes that fill `from` to `to`; throws `image_damaged` where they do not. */
export function boxesIn(bytes: Buffer, from: number, to: number, segments: SegmentCount): Box[] {
  const boxes: Box[] = []
  for (let at = from; at < to; ) {
    if (at + BOX_HEAD_BYTES > to) throw damaged('A box of the file is damaged.')
    const size = bytes.readUInt32BE(at)
    const end = at + size
    if (size < BOX_HEAD_BYTES || end > to) throw damaged('A box of the file has a wrong size.')
    segments.add()
    boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), at, contentAt: at + 8, end })
    at = end
  }
  return boxes
}

/** Makes a box free space of its size. */
export function blankBox(bytes: Buffer, box: Box): void {
  bytes.write(FREE, box.at + 4, 'latin1')
  bytes.fill(0, box.contentAt, box.end)
}

/** Longer names are read by nobody. */
const MAX_NAME_BYTES = 64

/** Blanks a name that ends with zeros, unless it is one of those that encoders give. */
export function blankUnusualName(
  bytes: Buffer,
  from: number,
  to: number,
  usual: ReadonlySet<string>,
): void {
  if (to - from <= MAX_NAME_BYTES) {
    const [name = '', ...behind] = bytes.toString('latin1', from, to).split('\0')
    if (behind.join('') === '' && usual.has(name)) return
  }
  bytes.fill(0, from, to)
}

/** Reads big-endian numbers one after the other; throws `image_damaged` beyond the end. */
export class BoxReader {
  readonly #bytes: Buffer
  readonly #end: number
  #at: number

  constructor(bytes: Buffer, from: number, end: number) {
    this.#bytes = bytes
    this.#at = from
    this.#end = end
  }

  get at(): number {
    return this.#at
  }

  /** `size` bytes, 0 to 8; no bytes are the number 0. */
  uint(size: number): number {
    if (this.#at + size > this.#end) throw damaged('A box of the file is too short.')
    const from = this.#at
    this.#at += size
    if (size === 0) return 0
    if (size <= 6) return this.#bytes.readUIntBE(from, size)
    const value = this.#bytes.readBigUInt64BE(from)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged('A number in the file is too large.')
    return Number(value)
  }

  /** Four letters. */
  fourCc(): string {
    return Buffer.from([this.uint(1), this.uint(1), this.uint(1), this.uint(1)]).toString('latin1')
  }
}
