import type { PhotoBytes } from './photo-bytes.ts'
import type { Walk } from './photo-walk.ts'

/** Introducer, label, count, and the eleven bytes that name the application. */
const HEAD_BYTES = 14

/** Loop count, by its inventor and in the spelling of others. */
const LOOPS = new Set(['NETSCAPE2.0', 'ANIMEXTS1.0'])

const COLOUR_PROFILE = 'ICCRGBG1012'

/** Sub-block 1: loop count, two bytes; 2: bytes to buffer, four. */
const LOOP_BYTES: Readonly<Record<number, number>> = { 1: 3, 2: 5 }

/** What loops have at most: both sub-blocks and the 00 at the end. */
const MAX_SUB_BLOCKS = 3

/**
 * Says whether the application extension ahead, with a head of eleven bytes, is the loop count or a colour
 * profile. Any other (XMP, IPTC, makers' own), and a loop count that carries more than that, goes.
 */
export function* keepsApplication(photo: PhotoBytes): Walk<boolean> {
  const name = (yield* photo.peek(HEAD_BYTES)).toString('latin1', 3)
  if (name === COLOUR_PROFILE) return true
  return LOOPS.has(name) && (yield* saysOnlyLoops(photo))
}

function* saysOnlyLoops(photo: PhotoBytes): Walk<boolean> {
  let at = HEAD_BYTES
  for (let subBlock = 0; subBlock < MAX_SUB_BLOCKS; subBlock += 1) {
    const count = (yield* photo.peek(at + 1)).readUInt8(at)
    if (count === 0) return true
    const kind = (yield* photo.peek(at + 2)).readUInt8(at + 1)
    if (LOOP_BYTES[kind] !== count) return false
    at += 1 + count
  }
  return false
}
