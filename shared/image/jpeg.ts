import { JpegFrame } from './jpeg-frame.ts'
import { JpegMetadata } from './jpeg-metadata.ts'
import type { PhotoBytes } from './photo-bytes.ts'
import type { PhotoHeader, PhotoLimits, Walk } from './photo-walk.ts'
import { checkDimensions, damaged, SegmentCount } from './photo-walk.ts'

/**
 * JPEG (ITU-T T.81 annex B):
 *
 *   SOI | segment … | SOS segment, entropy-coded data | segment … | SOS … | EOI
 *   segment: FF (FF …) code | length, counting its own two bytes | content
 *   in entropy-coded data FF is followed by 00, by RST0 to RST7, or begins the next marker
 */
const SOI = 0xd8
const EOI = 0xd9
const SOS = 0xda
const DQT = 0xdb
const DNL = 0xdc
const DRI = 0xdd
const DHT = 0xc4
const DAC = 0xcc
const APP0 = 0xe0
const APP15 = 0xef
const COM = 0xfe

/** Baseline to lossless, Huffman or arithmetic; the differential ones belong to hierarchical files. */
const FRAMES = new Set([0xc0, 0xc1, 0xc2, 0xc3, 0xc9, 0xca, 0xcb])

const TABLES = new Set([DQT, DHT, DAC, DRI])

/** Follows a JPEG to its EOI and leaves APPn and COM segments out, but for colour and orientation. */
export function* walkJpeg(photo: PhotoBytes, limits: PhotoLimits): Walk<PhotoHeader> {
  yield* photo.pass(2)
  const frame = new JpegFrame()
  const metadata = new JpegMetadata()
  const segments = new SegmentCount()
  for (;;) {
    const marker = yield* peekMarker(photo)
    segments.add()
    if (marker.code === EOI) {
      yield* photo.pass(marker.bytes)
      return { ...frame.dimensions, takenAt: metadata.takenAt }
    }
    yield* segment(photo, marker, { frame, metadata, limits })
  }
}

type Marker = {
  readonly code: number
  /** Fill bytes and the code. */
  readonly bytes: number
}

type JpegState = {
  readonly frame: JpegFrame
  readonly metadata: JpegMetadata
  readonly limits: PhotoLimits
}

/** Fill bytes that are looked past at once; of longer runs all but the last few pass by themselves. */
const FILL_BYTES = 64

function* peekMarker(photo: PhotoBytes): Walk<Marker> {
  for (;;) {
    for (let bytes = 2; bytes <= FILL_BYTES; bytes += 1) {
      const marker = yield* photo.peek(bytes)
      if (marker.readUInt8(0) !== 0xff) throw damaged('A JPEG marker was expected.')
      const code = marker.readUInt8(bytes - 1)
      if (code !== 0xff) return { code, bytes }
    }
    yield* photo.pass(leadingFills(yield* photo.peekChunk()) - 1)
  }
}

function leadingFills(chunk: Buffer): number {
  const end = chunk.findIndex((byte) => byte !== 0xff)
  return end === -1 ? chunk.length : end
}

function* segment(photo: PhotoBytes, marker: Marker, state: JpegState): Walk<void> {
  const { code, bytes } = marker
  const isMetadata = (code >= APP0 && code <= APP15) || code === COM
  if (!isMetadata && !TABLES.has(code) && !FRAMES.has(code) && code !== SOS && code !== DNL) {
    throw damaged(code === SOI ? 'A JPEG begins within a JPEG.' : 'A JPEG marker is out of place.')
  }
  const length = (yield* photo.peek(bytes + 2)).readUInt16BE(bytes)
  if (length < 2) throw damaged('A JPEG segment has no size.')
  if (isMetadata) return yield* state.metadata.rewrite(photo, marker, length)
  yield* note(photo, marker, length, state)
  yield* photo.pass(bytes + length)
  if (code === SOS) yield* passScan(photo)
}

/** Reads what frame, scan and line count say. */
function* note(photo: PhotoBytes, marker: Marker, length: number, state: JpegState): Walk<void> {
  if (TABLES.has(marker.code)) return
  const { frame, limits } = state
  const content = (yield* photo.peek(marker.bytes + length)).subarray(marker.bytes + 2)
  if (marker.code === SOS) frame.scan(content)
  else if (marker.code === DNL) frame.lines(content)
  else frame.begin(content)
  if (!frame.linesUnknown) checkDimensions(frame.width, frame.height, limits)
}

/** Passes entropy-coded data up to the marker that ends it. */
function* passScan(photo: PhotoBytes): Walk<void> {
  for (;;) {
    const chunk = yield* photo.peekChunk()
    const bytes = entropyBytes(chunk)
    yield* photo.pass(bytes)
    if (bytes === chunk.length) continue
    const code = (yield* photo.peek(2)).readUInt8(1)
    if (code !== 0xff && !withinScan(code)) return
    yield* photo.pass(code === 0xff ? 1 : 2)
  }
}

/** Bytes before the first marker that ends the scan, or before an FF whose code has not arrived. */
function entropyBytes(chunk: Buffer): number {
  let at = chunk.indexOf(0xff)
  while (at !== -1 && at + 1 < chunk.length) {
    const code = chunk[at + 1] ?? 0
    let next = at + 2
    if (code === 0xff) next = at + 1
    else if (!withinScan(code)) return at
    at = chunk[next] === 0xff ? next : chunk.indexOf(0xff, next)
  }
  return at === -1 ? chunk.length : at
}

/** 00 after FF means the value FF; RST0 to RST7 are D0 to D7. */
function withinScan(code: number): boolean {
  return code === 0 || (code & 0xf8) === 0xd0
}
