import { crc32 } from 'node:zlib'
import { EXIF_BYTES, keptTiff, readExif } from './exif.ts'
import type { PhotoBytes } from './photo-bytes.ts'
import type { PhotoHeader, PhotoLimits, Walk } from './photo-walk.ts'
import { damaged, SegmentCount } from './photo-walk.ts'
import { PngAnimation } from './png-animation.ts'
import { type PngChunk, PngOrder, readHeader } from './png-chunks.ts'

/**
 * PNG (W3C PNG third edition):
 *
 *   signature | chunk IHDR | chunk … | chunk IDAT … | chunk … | chunk IEND
 *   chunk: length of the content | type | content | CRC-32 of type and content
 */
const SIGNATURE_BYTES = 8
const CHUNK_HEAD_BYTES = 8
const CRC_BYTES = 4
const MAX_CHUNK_BYTES = 0x7fffffff

/** Pixel data in pieces smaller than this counts as segments: 10,000 honest ones would be 40 MB. */
const SMALL_PIECE_BYTES = 4096

/** Chunks that say how pixels, colours and animation are shown. All others but eXIf go. */
const KEPT = new Set(
  (
    'IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs ' +
    'acTL fcTL fdAT'
  ).split(' '),
)

/** How much of a chunk's content is looked at before it passes: all of it, but for fdAT. */
const READ_BYTES: Readonly<Record<string, number>> = { IHDR: 13, acTL: 8, fcTL: 26, fdAT: 4 }

type PngState = {
  readonly order: PngOrder
  readonly animation: PngAnimation
  readonly segments: SegmentCount
  takenAt?: Date | undefined
  exifSeen: boolean
}

/** Follows a PNG or APNG to its IEND, checks every CRC, and leaves out what does not say how it looks. */
export function* walkPng(photo: PhotoBytes, limits: PhotoLimits): Walk<PhotoHeader> {
  yield* photo.pass(SIGNATURE_BYTES)
  const first = yield* peekChunk(photo)
  if (first.type !== 'IHDR' || first.length !== 13) throw damaged('The PNG has no header.')
  const header = readHeader((yield* photo.peek(CHUNK_HEAD_BYTES + 13)).subarray(8), limits)
  const state: PngState = {
    order: new PngOrder(header),
    animation: new PngAnimation(header, limits),
    segments: new SegmentCount(),
    exifSeen: false,
  }
  for (;;) {
    const chunk = yield* peekChunk(photo)
    yield* follow(photo, chunk, state)
    if (chunk.type === 'IEND') break
  }
  state.animation.end()
  return { width: header.width, height: header.height, takenAt: state.takenAt }
}

function* peekChunk(photo: PhotoBytes): Walk<PngChunk> {
  const head = yield* photo.peek(CHUNK_HEAD_BYTES)
  const length = head.readUInt32BE(0)
  const type = head.toString('latin1', 4, 8)
  if (length > MAX_CHUNK_BYTES || !/^[A-Za-z]{4}$/.test(type))
    throw damaged('A PNG chunk is damaged.')
  return { type, length }
}

function* follow(photo: PhotoBytes, chunk: PngChunk, state: PngState): Walk<void> {
  const pixels = state.order.follow(chunk)
  if (!pixels || chunk.length < SMALL_PIECE_BYTES) state.segments.add()
  if (chunk.type === 'eXIf') return yield* exif(photo, chunk, state)
  state.animation.follow(chunk, yield* peekContent(photo, chunk))
  yield* checked(photo, chunk, KEPT.has(chunk.type) && state.animation.wants(chunk))
}

function* peekContent(photo: PhotoBytes, chunk: PngChunk): Walk<Buffer> {
  const needed = READ_BYTES[chunk.type] ?? 0
  const fits = chunk.type === 'fdAT' ? chunk.length >= needed : chunk.length === needed
  if (needed > 0 && !fits) throw damaged('A PNG chunk has the wrong size.')
  return (yield* photo.peek(CHUNK_HEAD_BYTES + needed)).subarray(CHUNK_HEAD_BYTES)
}

/** Reads a whole chunk, kept or not, and compares its CRC. */
function* checked(photo: PhotoBytes, chunk: PngChunk, kept: boolean): Walk<void> {
  let crc = 0
  const sum = (bytes: Buffer): void => {
    crc = crc32(bytes, crc)
  }
  const read = (count: number, see?: (bytes: Buffer) => void): Walk<void> =>
    kept ? photo.pass(count, see) : photo.drop(count, see)
  yield* read(4)
  yield* read(4 + chunk.length, sum)
  if ((yield* photo.peek(CRC_BYTES)).readUInt32BE(0) !== crc) {
    throw damaged('A checksum of the PNG is wrong.')
  }
  yield* read(CRC_BYTES)
}

/** eXIf: a TIFF block. What does not fit is not looked at; the orientation stands in front. */
function* exif(photo: PhotoBytes, chunk: PngChunk, state: PngState): Walk<void> {
  const held = Math.min(chunk.length, EXIF_BYTES)
  const content = Buffer.from(
    (yield* photo.peek(CHUNK_HEAD_BYTES + held)).subarray(CHUNK_HEAD_BYTES),
  )
  const first = !state.exifSeen
  state.exifSeen = true
  const facts = readExif(content)
  if (first) state.takenAt = facts.takenAt
  const kept = first && facts.orientation !== undefined ? keptTiff(facts) : undefined
  if (kept?.equals(content)) return yield* checked(photo, chunk, true)
  yield* checked(photo, chunk, false)
  if (kept !== undefined) photo.insert(wholeChunk('eXIf', kept))
}

function wholeChunk(type: string, content: Buffer): Buffer {
  const chunk = Buffer.alloc(CHUNK_HEAD_BYTES + content.length + CRC_BYTES)
  chunk.writeUInt32BE(content.length, 0)
  chunk.write(type, 4, 'latin1')
  content.copy(chunk, CHUNK_HEAD_BYTES)
  chunk.writeUInt32BE(
    crc32(chunk.subarray(4, CHUNK_HEAD_BYTES + content.length)),
    chunk.length - CRC_BYTES,
  )
  return chunk
}
