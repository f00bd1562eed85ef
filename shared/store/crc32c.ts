/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), the checksum that Cloud Storage has of every object: whole
 * blocks by a SIMD program, what is left of a chunk by tables. Five times as fast as Node's MD5.
 */
import { crcOfByte, LANES, openProgram, STRETCH_BYTES } from './crc32c-program.ts'

const BLOCK_BYTES = LANES * STRETCH_BYTES
/** Blocks that are copied to the program at once; the CRCs lie in front of them. */
const ROOM_AT = 64
const ROOM_BYTES = 16 * BLOCK_BYTES
const SLICES = 16

/** tables[256 * k + b] is the CRC of byte b followed by k zero bytes, so 16 look-ups replace 16 steps. */
function buildTables(): Int32Array {
  const tables = new Int32Array(SLICES * 256)
  for (let byte = 0; byte < 256; byte += 1) tables[byte] = crcOfByte(byte)
  for (let at = 256; at < tables.length; at += 1) {
    const before = tables[at - 256] ?? 0
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] ?? 0)
  }
  return tables
}

/** fold[256 * k + b] is what a stretch of zeros makes of a CRC whose byte k is b and whose others are 0. */
function buildFold(tables: Int32Array): Int32Array {
  const fold = new Int32Array(4 * 256)
  for (let bit = 0; bit < 32; bit += 1) {
    let crc = 1 << bit
    for (let at = 0; at < STRETCH_BYTES; at += 1) crc = (crc >>> 8) ^ (tables[crc & 0xff] ?? 0)
    const first = 256 * (bit >> 3)
    const weight = 1 << (bit & 7)
    // Linear, so a number is the sum of its bits: those below this one are there already.
    for (let low = 0; low < weight; low += 1)
      fold[first + weight + low] = crc ^ (fold[first + low] ?? 0)
  }
  return fold
}

/** Goes on from a CRC over bytes, without the inversions. */
type Step = (bytes: Uint8Array, before: number) => number

/** For whole blocks, at most the room. */
function openBlocks(tables: Int32Array): Step {
  const fold = buildFold(tables)
  const { memory, run } = openProgram()
  const laneCrcs = new Uint8Array(memory.buffer, 0, 4 * LANES)
  const room = new Uint8Array(memory.buffer, ROOM_AT, ROOM_BYTES)

  const folded = (crc: number): number =>
    (fold[crc & 0xff] ?? 0) ^
    (fold[256 + ((crc >>> 8) & 0xff)] ?? 0) ^
    (fold[512 + ((crc >>> 16) & 0xff)] ?? 0) ^
    (fold[768 + (crc >>> 24)] ?? 0)

  const laneCrc = (lane: number): number =>
    (laneCrcs[lane] ?? 0) |
    ((laneCrcs[LANES + lane] ?? 0) << 8) |
    ((laneCrcs[2 * LANES + lane] ?? 0) << 16) |
    ((laneCrcs[3 * LANES + lane] ?? 0) << 24)

  return (bytes, before) => {
    room.set(bytes)
    let crc = before
    for (let at = ROOM_AT; at < ROOM_AT + bytes.length; at += BLOCK_BYTES) {
      run(at, at + STRETCH_BYTES, crc)
      crc = laneCrc(0)
      for (let lane = 1; lane < LANES; lane += 1) crc = folded(crc) ^ laneCrc(lane)
    }
    return crc
  }
}

/** For any bytes. */
function openTables(tables: Int32Array): Step {
  /** Four bytes that `after` further tables' worth of bytes follow. */
  const four = (word: number, after: number): number =>
    (tables[after + 768 + (word & 0xff)] ?? 0) ^
    (tables[after + 512 + ((word >>> 8) & 0xff)] ?? 0) ^
    (tables[after + 256 + ((word >>> 16) & 0xff)] ?? 0) ^
    (tables[after + (word >>> 24)] ?? 0)

  return (bytes, before) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let crc = before
    let at = 0
    for (; at + SLICES <= bytes.length; at += SLICES) {
      crc =
        four(crc ^ view.getInt32(at, true), 3072) ^
        four(view.getInt32(at + 4, true), 2048) ^
        four(view.getInt32(at + 8, true), 1024) ^
        four(view.getInt32(at + 12, true), 0)
    }
    for (; at < bytes.length; at += 1) {
      crc = (crc >>> 8) ^ (tables[(crc ^ view.getUint8(at)) & 0xff] ?? 0)
    }
    return crc
  }
}

function open(): { readonly ofBlocks: Step; readonly byTables: Step } {
  const tables = buildTables()
  return { ofBlocks: openBlocks(tables), byTables: openTables(tables) }
}

/** Not before the first photo: most functions that could need it never do. */
let opened: ReturnType<typeof open> | undefined

/** Goes on from `crc` (0 at the start) over `bytes`; the result is an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  opened ??= open()
  const { ofBlocks, byTables } = opened
  const inBlocks = bytes.length - (bytes.length % BLOCK_BYTES)
  let c = ~crc
  for (let at = 0; at < inBlocks; at += ROOM_BYTES) {
    c = ofBlocks(bytes.subarray(at, Math.min(at + ROOM_BYTES, inBlocks)), c)
  }
  return ~byTables(bytes.subarray(inBlocks), c) >>> 0
}

/** As Cloud Storage writes it: base64 of the four bytes, big-endian. */
export function encodeCrc32c(crc: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc)
  return bytes.toString('base64')
}
