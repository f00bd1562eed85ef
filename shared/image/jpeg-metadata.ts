import { EXIF_BYTES, keptTiff, readExif } from './exif.ts'
import type { PhotoBytes } from './photo-bytes.ts'
import type { Walk } from './photo-walk.ts'

const APP0 = 0xe0
const APP1 = 0xe1
const APP2 = 0xe2
const APP14 = 0xee

const JFIF = 'JFIF\0'
const EXIF = 'Exif\0'
const ICC = 'ICC_PROFILE\0'
const ADOBE = 'Adobe'

/** Bytes of a segment's content that tell whose it is. */
const SIGNATURE_BYTES = 12

/** JFIF without its thumbnail: signature, version, unit, densities, thumbnail of 0 by 0. */
const JFIF_BYTES = 14

/** Adobe: signature, version, two flags, colour transform. */
const ADOBE_BYTES = 12

type Segment = {
  readonly code: number
  /** Marker with fill bytes, and the two bytes of the length. */
  readonly headerBytes: number
  readonly contentBytes: number
}

/**
 * APPn and COM segments: JFIF, ICC profile and Adobe stay, EXIF becomes its orientation, everything else
 * (XMP, MPF, IPTC, thumbnails, comments, makers' own) goes.
 */
export class JpegMetadata {
  #exifSeen = false
  #takenAt: Date | undefined

  get takenAt(): Date | undefined {
    return this.#takenAt
  }

  /** Reads one segment, `length` counting its own two bytes, and keeps of it what stays. */
  *rewrite(
    photo: PhotoBytes,
    marker: { readonly code: number; readonly bytes: number },
    length: number,
  ): Walk<void> {
    const segment = {
      code: marker.code,
      headerBytes: marker.bytes + 2,
      contentBytes: length - 2,
    }
    const start = segment.headerBytes
    const signature = (yield* photo.peek(start + Math.min(SIGNATURE_BYTES, segment.contentBytes)))
      .subarray(start)
      .toString('latin1')
    if (segment.code === APP2 && signature === ICC) return yield* photo.pass(start + length - 2)
    if (segment.code === APP0 && signature.startsWith(JFIF)) return yield* jfif(photo, segment)
    if (segment.code === APP14 && signature.startsWith(ADOBE)) return yield* adobe(photo, segment)
    if (segment.code === APP1 && signature.startsWith(EXIF))
      return yield* this.#exif(photo, segment)
    yield* photo.drop(start + length - 2)
  }

  /** EXIF: "Exif", two zero bytes, TIFF. A second one is what no longer fitted into the first. */
  *#exif(photo: PhotoBytes, segment: Segment): Walk<void> {
    const bytes = segment.headerBytes + segment.contentBytes
    const content = (yield* photo.peek(Math.min(bytes, segment.headerBytes + EXIF_BYTES))).subarray(
      segment.headerBytes,
    )
    if (this.#exifSeen) return yield* photo.drop(bytes)
    this.#exifSeen = true
    const exif = readExif(content.subarray(6))
    this.#takenAt = exif.takenAt
    if (exif.orientation === undefined) return yield* photo.drop(bytes)
    yield* replace(photo, segment, Buffer.concat([Buffer.from('Exif\0\0'), keptTiff(exif)]))
  }
}

function* jfif(photo: PhotoBytes, segment: Segment): Walk<void> {
  const bytes = segment.headerBytes + segment.contentBytes
  if (segment.contentBytes < JFIF_BYTES) return yield* photo.drop(bytes)
  const kept = Buffer.from(
    (yield* photo.peek(segment.headerBytes + JFIF_BYTES)).subarray(segment.headerBytes),
  )
  kept.writeUInt16BE(0, 12)
  yield* replace(photo, segment, kept)
}

function* adobe(photo: PhotoBytes, segment: Segment): Walk<void> {
  const bytes = segment.headerBytes + segment.contentBytes
  if (segment.contentBytes < ADOBE_BYTES) return yield* photo.drop(bytes)
  const head = yield* photo.peek(segment.headerBytes + ADOBE_BYTES)
  yield* replace(photo, segment, Buffer.from(head.subarray(segment.headerBytes)))
}

/** Puts `content` in the place of the segment's; the segment passes untouched where it is the same. */
function* replace(photo: PhotoBytes, segment: Segment, content: Buffer): Walk<void> {
  const bytes = segment.headerBytes + segment.contentBytes
  if (segment.contentBytes === content.length) {
    const head = yield* photo.peek(bytes)
    if (head.subarray(segment.headerBytes).equals(content)) return yield* photo.pass(bytes)
  }
  yield* photo.drop(bytes)
  const header = Buffer.from([0xff, segment.code, 0, 0])
  header.writeUInt16BE(content.length + 2, 2)
  photo.insert(Buffer.concat([header, content]))
}
