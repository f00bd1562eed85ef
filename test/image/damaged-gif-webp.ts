import { extension, gif, picture, screen, TRAILER } from './build-gif.ts'
import { animationFrame, extended, LOOPS, lossless, lossy, riffChunk, webp } from './build-webp.ts'
import type { DamagedRow } from './damaged-row.ts'

const join = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts)

/** GIFs and WebPs that are refused. */
export const damagedGifsAndWebps: readonly DamagedRow[] = [
  { name: 'a GIF signature alone', bytes: () => Buffer.from('GIF89a') },
  { name: 'a GIF without an image', bytes: () => join(screen(1, 1), TRAILER) },
  { name: 'a GIF without its trailer', bytes: () => gif().subarray(0, -1) },
  { name: 'a GIF with an unknown block', bytes: () => gif(Buffer.from([0x55])) },
  {
    name: 'a GIF whose image has no data',
    bytes: () => join(screen(1, 1), picture().subarray(0, 10), Buffer.from([2, 0]), TRAILER),
  },
  {
    name: 'a GIF of code size 12',
    bytes: () => join(screen(1, 1), picture().subarray(0, 10), Buffer.from([12, 1, 0, 0]), TRAILER),
  },
  { name: 'a GIF with a graphic control of 3 bytes', bytes: () => gif(extension(0xf9, 'abc')) },
  {
    name: 'a GIF whose colour table is cut',
    bytes: () => screen(1, 1).subarray(0, 15),
  },
  {
    name: 'a GIF with 10,001 comments',
    bytes: () => gif(...Array.from({ length: 10_001 }, () => extension(0xfe, 'a'))),
  },
  {
    name: 'a GIF of 1,001 frames',
    bytes: () => gif(...Array.from({ length: 1000 }, () => picture())),
    code: 'photo_too_many_pixels',
  },
  {
    name: 'a GIF of 65,535 by 65,535',
    bytes: () => join(screen(65_535, 65_535), picture(), TRAILER),
    code: 'photo_too_many_pixels',
  },
  {
    name: 'a GIF of width 0',
    bytes: () => join(screen(0, 1), picture(), TRAILER),
    code: 'photo_too_many_pixels',
  },
  {
    name: 'a GIF whose frame is too large',
    bytes: () => join(screen(1, 1), picture(65_535, 65_535), TRAILER),
    code: 'photo_too_many_pixels',
  },
  {
    name: 'a GIF whose frame lies too far off',
    bytes: () => join(screen(1, 1), picture(10, 10, 65_535, 65_535), TRAILER),
    code: 'photo_too_many_pixels',
  },

  { name: 'a WebP without chunks', bytes: () => webp([]) },
  { name: 'a WebP that says a larger size', bytes: () => webp([lossless(8, 8)], 2) },
  { name: 'a WebP that says a smaller size', bytes: () => webp([lossless(8, 8)], -2) },
  {
    name: 'a WebP that begins with EXIF',
    bytes: () => webp([riffChunk('EXIF', Buffer.alloc(8)), lossless(8, 8)]),
  },
  { name: 'a WebP with a header alone', bytes: () => webp([extended(0, 8, 8)]) },
  {
    name: 'a WebP with two headers',
    bytes: () => webp([extended(0, 8, 8), extended(0, 8, 8), lossless(8, 8)]),
  },
  {
    name: 'a WebP whose header has 12 bytes',
    bytes: () => webp([riffChunk('VP8X', Buffer.alloc(12)), lossless(1, 1)]),
  },
  { name: 'a WebP with two images', bytes: () => webp([lossless(8, 8), lossless(8, 8)]) },
  {
    name: 'a WebP whose image is larger than its canvas',
    bytes: () => webp([extended(0, 8, 8), lossy(9, 8)]),
  },
  {
    name: 'a WebP whose image is smaller than its canvas',
    bytes: () => webp([extended(0, 8, 8), lossless(8, 7)]),
  },
  {
    name: 'a WebP whose lossy image has no start code',
    bytes: () => webp([riffChunk('VP8 ', Buffer.alloc(20))]),
  },
  {
    name: 'a WebP whose lossless image has no signature',
    bytes: () => webp([riffChunk('VP8L', Buffer.alloc(20))]),
  },
  {
    name: 'a WebP whose image is 4 bytes long',
    bytes: () => webp([riffChunk('VP8L', Buffer.from([0x2f, 0, 0, 0]))]),
  },
  { name: 'a WebP animation without frames', bytes: () => webp([extended(2, 8, 8), LOOPS]) },
  {
    name: 'a WebP frame in a still image',
    bytes: () => webp([extended(0, 8, 8), animationFrame(8, 8, lossless(8, 8))]),
  },
  {
    name: 'a WebP still image in an animation',
    bytes: () => webp([extended(2, 8, 8), LOOPS, lossless(8, 8)]),
  },
  {
    name: 'a WebP frame outside of its canvas',
    bytes: () => webp([extended(2, 8, 8), LOOPS, animationFrame(9, 8, lossless(9, 8))]),
  },
  {
    name: 'a WebP frame without an image',
    bytes: () => webp([extended(2, 8, 8), LOOPS, animationFrame(8, 8)]),
  },
  {
    name: 'a WebP frame with two images',
    bytes: () =>
      webp([extended(2, 8, 8), LOOPS, animationFrame(8, 8, lossless(8, 8), lossless(8, 8))]),
  },
  {
    name: 'a WebP frame within a frame',
    bytes: () =>
      webp([extended(2, 8, 8), LOOPS, animationFrame(8, 8, animationFrame(8, 8, lossless(8, 8)))]),
  },
  {
    name: 'a WebP chunk larger than its frame',
    bytes: () => {
      const whole = webp([extended(2, 8, 8), LOOPS, animationFrame(8, 8, lossless(8, 8))])
      whole.writeUInt32LE(4000, whole.lastIndexOf('VP8L') + 4)
      return whole
    },
  },
  {
    name: 'a WebP with 10,001 unknown chunks',
    bytes: () =>
      webp([
        lossless(8, 8),
        ...Array.from({ length: 10_001 }, () => riffChunk('abcd', Buffer.alloc(0))),
      ]),
  },
  {
    name: 'a WebP of 1,001 frames',
    bytes: () =>
      webp([
        extended(2, 8, 8),
        LOOPS,
        ...Array.from({ length: 1001 }, () => animationFrame(8, 8, lossless(8, 8))),
      ]),
    code: 'photo_too_many_pixels',
  },
  {
    name: 'a WebP of 16,384 by 16,384',
    bytes: () => webp([lossless(16_384, 16_384)]),
    code: 'photo_too_many_pixels',
  },
  {
    name: 'a WebP canvas of 16,777,216 by 16',
    bytes: () => webp([extended(0, 16_777_216, 16), lossless(8, 8)]),
    code: 'photo_too_many_pixels',
  },
  { name: 'a WebP of width 0', bytes: () => webp([lossy(0, 8)]), code: 'photo_too_many_pixels' },
]
