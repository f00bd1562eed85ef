/** Screen descriptor with a colour table of two. */
export function screen(width: number, height: number, version = '89a'): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt16LE(width, 0)
  size.writeUInt16LE(height, 2)
  return Buffer.concat([
    Buffer.from(`GIF${version}`),
    size,
    Buffer.from([0x80, 0, 0, 0, 0, 0, 255, 255, 255]),
  ])
}

/** An image of one colour: descriptor, code size, one sub-block. */
export function picture(width = 1, height = 1, left = 0, top = 0): Buffer {
  const head = Buffer.alloc(10)
  head.writeUInt8(0x2c, 0)
  head.writeUInt16LE(left, 1)
  head.writeUInt16LE(top, 3)
  head.writeUInt16LE(width, 5)
  head.writeUInt16LE(height, 7)
  return Buffer.concat([head, Buffer.from([2, 2, 0x44, 1, 0])])
}

/** An extension of one label and some sub-blocks. */
export function extension(label: number, ...subBlocks: readonly (Buffer | string)[]): Buffer {
  const blocks = subBlocks.map((content) => {
    const bytes = Buffer.from(content)
    return Buffer.concat([Buffer.from([bytes.length]), bytes])
  })
  return Buffer.concat([Buffer.from([0x21, label]), ...blocks, Buffer.from([0])])
}

export const TRAILER = Buffer.from([0x3b])

/** A whole GIF of 1 by 1 with `blocks` between screen and image. */
export function gif(...blocks: readonly Buffer[]): Buffer {
  return Buffer.concat([screen(1, 1), ...blocks, picture(), TRAILER])
}
