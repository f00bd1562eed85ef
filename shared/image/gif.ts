import { keepsApplication } from './gif-application.ts'
import type { PhotoBytes } from './photo-bytes.ts'
import type { PhotoHeader, PhotoLimits, Walk } from './photo-walk.ts'
import { checkDimensions, damaged, FrameCount, SegmentCount } from './photo-walk.ts'

/**
 * GIF89a:
 *
 *   signature | screen: width, height, flags, background, aspect | colour table | block … | 3B
 *   image:      2C | left, top, width, height, flags | colour table | code size | sub-blocks
 *   extension:  21 | label | sub-blocks
 *   sub-blocks: (count 1 to 255 | so many bytes) … | 00
 */
const HEAD_BYTES = 13
const IMAGE = 0x2c
const IMAGE_HEAD_BYTES = 10
const EXTENSION = 0x21
const TRAILER = 0x3b

const GRAPHIC_CONTROL = 0xf9
const APPLICATION = 0xff

/** Codes of LZW in GIF have at most 12 bits, one more than the largest code size. */
const MAX_CODE_SIZE = 11

type GifCounts = {
  readonly frames: FrameCount
  readonly segments: SegmentCount
}

/** Follows a GIF to its trailer; comments, plain text and application data but loops and colour go. */
export function* walkGif(photo: PhotoBytes, limits: PhotoLimits): Walk<PhotoHeader> {
  const head = yield* photo.peek(HEAD_BYTES)
  const width = head.readUInt16LE(6)
  const height = head.readUInt16LE(8)
  checkDimensions(width, height, limits)
  yield* photo.pass(HEAD_BYTES + colourTableBytes(head.readUInt8(10)))
  const counts = { frames: new FrameCount(limits), segments: new SegmentCount() }
  while (yield* block(photo, limits, counts)) counts.segments.add()
  if (counts.frames.seen === 0) throw damaged('The GIF has no image.')
  return { width, height }
}

/** One block; false at the trailer. */
function* block(photo: PhotoBytes, limits: PhotoLimits, counts: GifCounts): Walk<boolean> {
  const introducer = (yield* photo.peek(1)).readUInt8(0)
  if (introducer === TRAILER) {
    yield* photo.pass(1)
    return false
  }
  if (introducer === IMAGE) {
    counts.frames.add()
    yield* image(photo, limits)
  } else if (introducer === EXTENSION) {
    yield* extension(photo)
  } else {
    throw damaged('A GIF block is damaged.')
  }
  return true
}

function* image(photo: PhotoBytes, limits: PhotoLimits): Walk<void> {
  const head = yield* photo.peek(IMAGE_HEAD_BYTES)
  const width = head.readUInt16LE(5)
  const height = head.readUInt16LE(7)
  checkDimensions(width, height, limits)
  checkDimensions(head.readUInt16LE(1) + width, head.readUInt16LE(3) + height, limits)
  yield* photo.pass(IMAGE_HEAD_BYTES + colourTableBytes(head.readUInt8(9)))
  const pixels = yield* photo.peek(2)
  const codeSize = pixels.readUInt8(0)
  if (codeSize < 1 || codeSize > MAX_CODE_SIZE || pixels.readUInt8(1) === 0) {
    throw damaged('An image of the GIF is damaged.')
  }
  yield* photo.pass(1)
  yield* subBlocks(photo, true)
}

function* extension(photo: PhotoBytes): Walk<void> {
  const head = yield* photo.peek(3)
  const label = head.readUInt8(1)
  const firstBytes = head.readUInt8(2)
  let kept = false
  if (label === GRAPHIC_CONTROL) {
    if (firstBytes !== 4) throw damaged('A graphic control of the GIF is damaged.')
    kept = true
  } else if (label === APPLICATION && firstBytes === 11) {
    kept = yield* keepsApplication(photo)
  }
  yield* kept ? photo.pass(2) : photo.drop(2)
  yield* subBlocks(photo, kept)
}

/** Reads sub-blocks and the 00 after them; those within one chunk in one go, for an image has thousands. */
function* subBlocks(photo: PhotoBytes, kept: boolean): Walk<void> {
  const read = (count: number): Walk<void> => (kept ? photo.pass(count) : photo.drop(count))
  for (;;) {
    const whole = wholeSubBlocks(yield* photo.peekChunk())
    yield* read(whole.bytes)
    if (whole.ended) return
    const count = (yield* photo.peek(1)).readUInt8(0)
    yield* read(1 + count)
    if (count === 0) return
  }
}

function wholeSubBlocks(chunk: Buffer): { bytes: number; ended: boolean } {
  let at = 0
  while (at < chunk.length) {
    const count = chunk[at] ?? 0
    if (count === 0) return { bytes: at + 1, ended: true }
    if (at + 1 + count > chunk.length) break
    at += 1 + count
  }
  return { bytes: at, ended: false }
}

/** The lowest three bits say how many colours of three bytes follow, the highest whether any do. */
function colourTableBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0
}
