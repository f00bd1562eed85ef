/** A marker segment: FF, code, length, content. */
export function segment(code: number, content: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(content)
  const head = Buffer.from([0xff, code, 0, 0])
  head.writeUInt16BE(bytes.length + 2, 2)
  return Buffer.concat([head, bytes])
}

export const SOI = Buffer.from([0xff, 0xd8])
export const EOI = Buffer.from([0xff, 0xd9])

/** A baseline frame header of three components. */
export function frame(width: number, height: number, code = 0xc0): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt16BE(height, 0)
  size.writeUInt16BE(width, 2)
  const components = Buffer.from([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1])
  return segment(code, Buffer.concat([Buffer.from([8]), size, components]))
}

/** A scan header over all three components. */
export const SCAN = segment(0xda, Buffer.from([3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]))

/** A JPEG that is right in structure, its scan being `bits`. */
export function jpeg(bits: Buffer, width = 64, height = 48): Buffer {
  const table = segment(0xdb, Buffer.alloc(65, 1))
  return Buffer.concat([SOI, table, frame(width, height), SCAN, bits, EOI])
}

/** So many bytes as an encoder's bit stream is: evenly spread, a zero after each FF. */
export function entropy(bytes: number): Buffer {
  const data = pseudoRandom(bytes)
  for (let at = data.indexOf(0xff); at !== -1; at = data.indexOf(0xff, at + 1)) {
    if (at + 1 < bytes) data[at + 1] = 0
    else data[at] = 0
  }
  return data
}

/** The same bytes at each call. */
export function pseudoRandom(bytes: number): Buffer {
  const data = Buffer.alloc(bytes)
  let state = 0x2545f491
  for (let at = 0; at < bytes; at += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    data[at] = state
  }
  return data
}
