import { crc32, deflateSync } from 'node:zlib'

export const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')

/** A chunk with its CRC. */
export function chunk(type: string, content: Buffer | string = ''): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), Buffer.from(content)])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length - 4)
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, crc])
}

/** IHDR of eight bits a sample. */
export function header(width: number, height: number, colourType = 0): Buffer {
  const content = Buffer.alloc(13)
  content.writeUInt32BE(width, 0)
  content.writeUInt32BE(height, 4)
  content.set([8, colourType], 8)
  return chunk('IHDR', content)
}

export const END = chunk('IEND')

/** A grey image of 8 by 8. */
export const PIXELS = chunk('IDAT', deflateSync(Buffer.alloc(72)))

/** A whole PNG of 8 by 8 with `middle` between header and pixels. */
export function png(...middle: readonly Buffer[]): Buffer {
  return Buffer.concat([SIGNATURE, header(8, 8), ...middle, PIXELS, END])
}
