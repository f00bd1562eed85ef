/**
 * EXIF as TIFF (CIPA DC-008, TIFF 6.0): read the two facts that are kept, write the one that stays.
 *
 *   "II" or "MM" | 42 | offset of IFD0        IFD: count | count × 12-byte entries | next IFD
 *                                             entry: tag | type | count | value or its offset
 */

/** How much of an EXIF block is held to read it: what fits into one JPEG segment. */
export const EXIF_BYTES = 65_536

const ORIENTATION = 0x0112
const EXIF_IFD = 0x8769
const DATE_TIME_ORIGINAL = 0x9003
const OFFSET_TIME_ORIGINAL = 0x9011

const SHORT = 3

export type Exif = {
  readonly bigEndian: boolean
  /** 1 to 8 as in TIFF 6.0; absent where the block has none or another value. */
  readonly orientation?: number | undefined
  /** DateTimeOriginal at OffsetTimeOriginal; taken as UTC where the camera wrote no offset. */
  readonly takenAt?: Date | undefined
}

/**
 * Reads orientation and time of a TIFF block, which may be cut short. Never throws: a block that makes no
 * sense has no facts, and its photo is as good as one without.
 */
export function readExif(tiff: Buffer): Exif {
  const bigEndian = tiff.toString('latin1', 0, 2) === 'MM'
  const reader = new TiffReader(tiff, bigEndian)
  if (!reader.isTiff) return { bigEndian }
  const first = reader.directory(reader.long(4))
  const exifDirectory = first.get(EXIF_IFD)
  const exif =
    exifDirectory === undefined ? first : reader.directory(reader.long(exifDirectory + 8))
  return {
    bigEndian,
    orientation: orientationAt(reader, first.get(ORIENTATION)),
    takenAt: parseTime(
      reader.ascii(exif.get(DATE_TIME_ORIGINAL)),
      reader.ascii(exif.get(OFFSET_TIME_ORIGINAL)),
    ),
  }
}

/** A whole TIFF block that says the orientation and nothing else; 26 bytes. */
export function orientationTiff(orientation: number, bigEndian: boolean): Buffer {
  const tiff = emptyTiff(bigEndian, 1)
  const short = (value: number, at: number): void => {
    if (bigEndian) tiff.writeUInt16BE(value, at)
    else tiff.writeUInt16LE(value, at)
  }
  short(ORIENTATION, 10)
  short(SHORT, 12)
  if (bigEndian) tiff.writeUInt32BE(1, 14)
  else tiff.writeUInt32LE(1, 14)
  short(orientation, 18)
  return tiff
}

/** What is left of an EXIF block: its orientation, or a TIFF block without entries. */
export function keptTiff(exif: Exif): Buffer {
  if (exif.orientation === undefined) return emptyTiff(exif.bigEndian, 0)
  return orientationTiff(exif.orientation, exif.bigEndian)
}

function emptyTiff(bigEndian: boolean, entries: number): Buffer {
  const tiff = Buffer.alloc(14 + 12 * entries)
  tiff.write(bigEndian ? 'MM\0*\0\0\0\b' : 'II*\0\b\0\0\0', 'latin1')
  if (bigEndian) tiff.writeUInt16BE(entries, 8)
  else tiff.writeUInt16LE(entries, 8)
  return tiff
}

function orientationAt(reader: TiffReader, entry: number | undefined): number | undefined {
  if (entry === undefined || reader.short(entry + 2) !== SHORT) return undefined
  const value = reader.short(entry + 8)
  return value >= 1 && value <= 8 ? value : undefined
}

/** `2024:05:06 07:08:09` and `+02:00`. */
function parseTime(text: string, offset: string): Date | undefined {
  const time = /^(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)/.exec(text)
  if (time === null) return undefined
  const [, year, month, day, hour, minute, second] = time
  const zone = /^[+-]\d\d:\d\d$/.test(offset.trim()) ? offset.trim() : 'Z'
  const taken = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`)
  return Number.isNaN(taken.getTime()) ? undefined : taken
}

/** Reads numbers of either byte order; zero beyond the end. */
class TiffReader {
  readonly #tiff: Buffer
  readonly #bigEndian: boolean

  constructor(tiff: Buffer, bigEndian: boolean) {
    this.#tiff = tiff
    this.#bigEndian = bigEndian
  }

  get isTiff(): boolean {
    const order = this.#tiff.toString('latin1', 0, 2)
    return (order === 'MM' || order === 'II') && this.short(2) === 42
  }

  short(at: number): number {
    if (at < 0 || at + 2 > this.#tiff.length) return 0
    return this.#bigEndian ? this.#tiff.readUInt16BE(at) : this.#tiff.readUInt16LE(at)
  }

  long(at: number): number {
    if (at < 0 || at + 4 > this.#tiff.length) return 0
    return this.#bigEndian ? this.#tiff.readUInt32BE(at) : this.#tiff.readUInt32LE(at)
  }

  /** Tag to offset of its entry; the first of a repeated tag. */
  directory(at: number): Map<number, number> {
    const entries = new Map<number, number>()
    const end = Math.min(at + 2 + 12 * this.short(at), this.#tiff.length - 11)
    for (let entry = at + 2; entry < end; entry += 12) {
      const tag = this.short(entry)
      if (!entries.has(tag)) entries.set(tag, entry)
    }
    return entries
  }

  /** The text of an entry up to its first zero byte; empty where there is none. */
  ascii(entry: number | undefined): string {
    if (entry === undefined) return ''
    const count = Math.min(this.long(entry + 4), 64)
    const at = count <= 4 ? entry + 8 : this.long(entry + 8)
    return this.#tiff
      .toString('latin1', at, at + count)
      .split('\0', 1)
      .join('')
  }
}
