/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), eight bytes per step with eight tables
 * ("slice by 8"). `zlib.crc32` is another polynomial, and one byte per step costs the upload rate.
 *
 * table[k][b] is the CRC of byte b followed by k zero bytes, so eight look-ups replace eight steps.
 */
const POLYNOMIAL = 0x82f63b78
const SLICES = 8

function buildTables(): Int32Array {
  const tables = new Int32Array(SLICES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[byte] = crc
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256] ?? 0
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] ?? 0)
  }
  return tables
}

const T = buildTables()

/** Four bytes whose last one is followed by `after` tables' worth of bytes. */
const four = (word: number, after: number): number =>
  (T[after + 768 + (word & 0xff)] ?? 0) ^
  (T[after + 512 + ((word >>> 8) & 0xff)] ?? 0) ^
  (T[after + 256 + ((word >>> 16) & 0xff)] ?? 0) ^
  (T[after + (word >>> 24)] ?? 0)

/** Goes on from `crc` (0 at the start) over `bytes`; the result is an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const sliced = bytes.length - (bytes.length % SLICES)
  let c = ~crc
  for (let at = 0; at < sliced; at += SLICES) {
    c = four(c ^ view.getInt32(at, true), 1024) ^ four(view.getInt32(at + 4, true), 0)
  }
  for (let at = sliced; at < bytes.length; at++) {
    c = (c >>> 8) ^ (T[(c ^ view.getUint8(at)) & 0xff] ?? 0)
  }
  return ~c >>> 0
}

/** As Cloud Storage writes it: base64 of the four bytes, big-endian. */
export function encodeCrc32c(crc: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc)
  return bytes.toString('base64')
}
