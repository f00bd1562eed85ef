/** A RIFF chunk: type, size, content, padding. */
export function riffChunk(type: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.write(type, 'latin1')
  head.writeUInt32LE(content.length, 4)
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)])
}

/** A WebP with these chunks; `extra` is added to the size that it says. */
export function webp(chunks: readonly Buffer[], extra = 0): Buffer {
  const content = Buffer.concat([Buffer.from('WEBP'), ...chunks])
  const head = Buffer.alloc(8)
  head.write('RIFF', 'latin1')
  head.writeUInt32LE(content.length + extra, 4)
  return Buffer.concat([head, content])
}

/** VP8X with flags (2 animation, 4 XMP, 8 EXIF) and canvas. */
export function extended(flags: number, width: number, height: number): Buffer {
  const content = Buffer.alloc(10)
  content.writeUInt8(flags, 0)
  content.writeUIntLE(width - 1, 4, 3)
  content.writeUIntLE(height - 1, 7, 3)
  return riffChunk('VP8X', content)
}

/** A lossless picture in structure, its pixels being nothing. */
export function lossless(width: number, height: number): Buffer {
  const content = Buffer.alloc(20)
  content.writeUInt8(0x2f, 0)
  content.writeUInt32LE(((width - 1) | ((height - 1) << 14)) >>> 0, 1)
  return riffChunk('VP8L', content)
}

/** A lossy picture in structure. */
export function lossy(width: number, height: number): Buffer {
  const content = Buffer.alloc(20)
  content.set([0, 0, 0, 0x9d, 0x01, 0x2a], 0)
  content.writeUInt16LE(width, 6)
  content.writeUInt16LE(height, 8)
  return riffChunk('VP8 ', content)
}

/** A frame of an animation at 0, 0. */
export function animationFrame(
  width: number,
  height: number,
  ...chunks: readonly Buffer[]
): Buffer {
  const head = Buffer.alloc(16)
  head.writeUIntLE(width - 1, 6, 3)
  head.writeUIntLE(height - 1, 9, 3)
  return riffChunk('ANMF', Buffer.concat([head, ...chunks]))
}

export const LOOPS = riffChunk('ANIM', Buffer.alloc(6))
