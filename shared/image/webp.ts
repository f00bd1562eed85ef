import { EXIF_BYTES, keptTiff, readExif } from './exif.ts'
import type { PhotoBytes } from './photo-bytes.ts'
import type { PhotoHeader, PhotoLimits, Walk } from './photo-walk.ts'
import { damaged, SegmentCount } from './photo-walk.ts'
import { WebpImage } from './webp-image.ts'

/**
 * WebP (RFC 9649):
 *
 *   "RIFF" | bytes that follow | "WEBP" | chunk …
 *   chunk: type | bytes of its content | content | a zero byte after an odd count
 *   simple: VP8 or VP8L.  extended: VP8X | ICCP | ANIM | ANMF … or (ALPH |) VP8, VP8L | EXIF | XMP
 *
 * The size stands in front, so metadata keeps its place: EXIF becomes its orientation and zeros, any
 * other becomes a chunk of zeros that no reader knows.
 */
const RIFF_HEAD_BYTES = 12
const CHUNK_HEAD_BYTES = 8
const FRAME_HEAD_BYTES = 16
const FLAG_XMP = 0x04

/** The type of a chunk that was blanked. */
const NOTHING = Buffer.from('JUNK')

/** How much of a chunk's content the image's shape is read from. */
const READ_BYTES: Readonly<Record<string, number>> = {
  VP8X: 10,
  'VP8 ': 10,
  VP8L: 5,
  ANMF: FRAME_HEAD_BYTES,
}

type Chunk = {
  readonly type: string
  readonly length: number
  /** Content and padding. */
  readonly padded: number
}

type WebpState = {
  readonly image: WebpImage
  readonly segments: SegmentCount
  takenAt?: Date | undefined
  exifSeen: boolean
}

/** Follows a WebP to the end of its RIFF and blanks what does not say how it looks. */
export function* walkWebp(photo: PhotoBytes, limits: PhotoLimits): Walk<PhotoHeader> {
  const end = CHUNK_HEAD_BYTES + (yield* photo.peek(RIFF_HEAD_BYTES)).readUInt32LE(4)
  yield* photo.pass(RIFF_HEAD_BYTES)
  const state = {
    image: new WebpImage(limits),
    segments: new SegmentCount(),
    takenAt: undefined,
    exifSeen: false,
  }
  yield* chunks(photo, end, state)
  return { ...state.image.dimensions, takenAt: state.takenAt }
}

function* chunks(photo: PhotoBytes, end: number, state: WebpState): Walk<void> {
  while (photo.position < end) {
    const chunk = yield* peekChunk(photo, end)
    state.segments.add()
    yield* follow(photo, chunk, state)
  }
}

function* peekChunk(photo: PhotoBytes, end: number): Walk<Chunk> {
  const head = yield* photo.peek(CHUNK_HEAD_BYTES)
  const length = head.readUInt32LE(4)
  const padded = length + (length % 2)
  if (photo.position + CHUNK_HEAD_BYTES + padded > end) {
    throw damaged('A WebP chunk is larger than what it is in.')
  }
  return { type: head.toString('latin1', 0, 4), length, padded }
}

function* follow(photo: PhotoBytes, chunk: Chunk, state: WebpState): Walk<void> {
  const read = READ_BYTES[chunk.type] ?? 0
  if (chunk.length < read) throw damaged('A WebP chunk is too short.')
  const content = (yield* photo.peek(CHUNK_HEAD_BYTES + read)).subarray(CHUNK_HEAD_BYTES)
  state.image.follow(chunk.type, content)
  if (chunk.type === 'VP8X') yield* extendedHeader(photo, chunk, content)
  else if (chunk.type === 'ANMF') yield* frame(photo, chunk, state)
  else if (chunk.type === 'EXIF') yield* exif(photo, chunk, state)
  else if (state.image.keeps(chunk.type)) yield* photo.pass(CHUNK_HEAD_BYTES + chunk.padded)
  else yield* blank(photo, chunk)
}

/** VP8X: flags | three bytes | canvas. XMP is always blanked, so its flag goes here. */
function* extendedHeader(photo: PhotoBytes, chunk: Chunk, content: Buffer): Walk<void> {
  const flags = content.readUInt8(0)
  if (chunk.length !== content.length) throw damaged('The WebP header has the wrong size.')
  if ((flags & FLAG_XMP) === 0) return yield* photo.pass(CHUNK_HEAD_BYTES + chunk.padded)
  yield* photo.pass(CHUNK_HEAD_BYTES)
  yield* photo.drop(1)
  photo.insert(Buffer.from([flags & ~FLAG_XMP]))
  yield* photo.pass(chunk.padded - 1)
}

/** ANMF: place, size, duration and flags of a frame, then chunks as in a still image. */
function* frame(photo: PhotoBytes, chunk: Chunk, state: WebpState): Walk<void> {
  const end = photo.position + CHUNK_HEAD_BYTES + chunk.padded
  yield* photo.pass(CHUNK_HEAD_BYTES + FRAME_HEAD_BYTES)
  yield* chunks(photo, end, state)
  state.image.endFrame()
}

/** EXIF: a TIFF block, by some encoders after the "Exif" of JPEG. It stays one, as short as can be. */
function* exif(photo: PhotoBytes, chunk: Chunk, state: WebpState): Walk<void> {
  const held = Math.min(chunk.length, EXIF_BYTES)
  const content = (yield* photo.peek(CHUNK_HEAD_BYTES + held)).subarray(CHUNK_HEAD_BYTES)
  const prefix = content.toString('latin1', 0, 6) === 'Exif\0\0' ? 6 : 0
  const facts = readExif(content.subarray(prefix))
  if (state.exifSeen) return yield* blank(photo, chunk)
  state.exifSeen = true
  state.takenAt = facts.takenAt
  const kept = keptTiff(facts).subarray(0, chunk.length)
  yield* photo.pass(CHUNK_HEAD_BYTES)
  yield* photo.drop(kept.length)
  photo.insert(kept)
  yield* photo.blank(chunk.padded - kept.length)
}

function* blank(photo: PhotoBytes, chunk: Chunk): Walk<void> {
  yield* photo.drop(NOTHING.length)
  photo.insert(NOTHING)
  yield* photo.pass(CHUNK_HEAD_BYTES - NOTHING.length)
  yield* photo.blank(chunk.padded)
}
