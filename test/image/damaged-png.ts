import { chunk, END, header, PIXELS, png, SIGNATURE } from './build-png.ts'
import type { DamagedRow } from './damaged-row.ts'

const join = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts)

/** A PNG of these chunks. */
const of = (...chunks: readonly Buffer[]): Buffer => join(SIGNATURE, ...chunks)

function wrongCrc(whole: Buffer): Buffer {
  const broken = Buffer.from(whole)
  broken.writeUInt8(broken.readUInt8(broken.length - 1) ^ 1, broken.length - 1)
  return broken
}

function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, 4 * at)
  return bytes
}

function animation(frames: number): Buffer {
  return chunk('acTL', u32(frames, 0))
}

function frameControl(number: number, width = 8, height = 8, x = 0): Buffer {
  return chunk('fcTL', join(u32(number, width, height, x, 0), Buffer.alloc(6)))
}

function headerWith(at: number, value: number): Buffer {
  const content = Buffer.from(header(8, 8).subarray(8, 21))
  content.writeUInt8(value, at)
  return chunk('IHDR', content)
}

/** PNGs that are refused. */
export const damagedPngs: readonly DamagedRow[] = [
  { name: 'a PNG signature alone', bytes: () => SIGNATURE },
  { name: 'a PNG that does not begin with IHDR', bytes: () => of(PIXELS, header(8, 8), END) },
  {
    name: 'a PNG in the private dialect of a phone',
    bytes: () => of(chunk('CgBI', u32(1)), header(8, 8), PIXELS, END),
  },
  {
    name: 'a PNG header of 12 bytes',
    bytes: () => of(chunk('IHDR', Buffer.alloc(12)), PIXELS, END),
  },
  { name: 'a PNG with two headers of one size', bytes: () => png(header(8, 8)) },
  { name: 'a PNG with two headers of two sizes', bytes: () => png(header(80, 80)) },
  { name: 'a PNG without image data', bytes: () => of(header(8, 8), END) },
  { name: 'a PNG without IEND', bytes: () => of(header(8, 8), PIXELS) },
  { name: 'a PNG with IEND of a size', bytes: () => of(header(8, 8), PIXELS, chunk('IEND', 'x')) },
  { name: 'a PNG with a wrong CRC in IHDR', bytes: () => of(wrongCrc(header(8, 8)), PIXELS, END) },
  { name: 'a PNG with a wrong CRC in IDAT', bytes: () => of(header(8, 8), wrongCrc(PIXELS), END) },
  { name: 'a PNG with a wrong CRC in IEND', bytes: () => of(header(8, 8), PIXELS, wrongCrc(END)) },
  {
    name: 'a PNG with a wrong CRC in a comment',
    bytes: () => png(wrongCrc(chunk('tEXt', 'Comment\0x'))),
  },
  { name: 'a PNG with a wrong CRC in eXIf', bytes: () => png(wrongCrc(chunk('eXIf', 'II*\0'))) },
  {
    name: 'a PNG chunk longer than the file',
    bytes: () => of(header(8, 8), u32(0x7fffffff), Buffer.from('IDATx'), END),
  },
  {
    name: 'a PNG chunk of a size that no chunk has',
    bytes: () => of(header(8, 8), u32(0xffffffff), Buffer.from('tEXt'), PIXELS, END),
  },
  { name: 'a PNG chunk whose type is no text', bytes: () => png(chunk('t\0Xt')) },
  { name: 'a PNG with an unknown critical chunk', bytes: () => png(chunk('ABCD')) },
  {
    name: 'a PNG whose image data is torn apart',
    bytes: () => of(header(8, 8), PIXELS, chunk('tIME', Buffer.alloc(7)), PIXELS, END),
  },
  {
    name: 'a PNG with a palette of 4 bytes',
    bytes: () => of(header(8, 8, 3), chunk('PLTE', 'abcd'), PIXELS, END),
  },
  {
    name: 'a PNG with two palettes',
    bytes: () => of(header(8, 8, 3), chunk('PLTE', 'abc'), chunk('PLTE', 'abc'), PIXELS, END),
  },
  {
    name: 'a PNG with a palette after its image',
    bytes: () => of(header(8, 8, 2), PIXELS, chunk('PLTE', 'abc'), END),
  },
  { name: 'a PNG with a palette for greys', bytes: () => png(chunk('PLTE', 'abc')) },
  { name: 'a PNG that lacks its palette', bytes: () => of(header(8, 8, 3), PIXELS, END) },
  { name: 'a PNG of bit depth 3', bytes: () => of(headerWith(8, 3), PIXELS, END) },
  { name: 'a PNG of colour type 5', bytes: () => of(headerWith(9, 5), PIXELS, END) },
  { name: 'a PNG of compression 1', bytes: () => of(headerWith(10, 1), PIXELS, END) },
  { name: 'a PNG of interlace 2', bytes: () => of(headerWith(12, 2), PIXELS, END) },
  {
    name: 'a PNG with 10,001 comments',
    bytes: () => png(...Array.from({ length: 10_001 }, () => chunk('tEXt', 'a\0b'))),
  },
  {
    name: 'a PNG with 10,001 empty pieces of image data',
    bytes: () => png(...Array.from({ length: 10_001 }, () => chunk('IDAT'))),
  },
  { name: 'an APNG of no frames', bytes: () => png(animation(0)) },
  {
    name: 'an APNG with two animation controls',
    bytes: () => png(animation(1), animation(1), frameControl(0)),
  },
  {
    name: 'an APNG with fewer frames than it says',
    bytes: () => png(animation(2), frameControl(0)),
  },
  { name: 'an APNG with frames out of order', bytes: () => png(animation(1), frameControl(1)) },
  {
    name: 'an APNG with a frame outside of the image',
    bytes: () => png(animation(1), frameControl(0, 8, 8, 1)),
  },
  { name: 'an APNG with a frame of no width', bytes: () => png(animation(1), frameControl(0, 0)) },
  {
    name: 'an APNG of 1,001 frames',
    bytes: () => png(animation(1001), ...Array.from({ length: 1001 }, (_, n) => frameControl(n))),
    code: 'photo_too_many_pixels',
  },
  {
    name: 'an APNG that promises four thousand million frames',
    bytes: () => png(animation(0xffffffff), frameControl(0)),
    code: 'photo_too_many_pixels',
  },
  {
    name: 'a PNG of 65,535 by 65,535',
    bytes: () => of(header(65_535, 65_535), PIXELS, END),
    code: 'photo_too_many_pixels',
  },
  {
    name: 'a PNG of width 65,536',
    bytes: () => of(header(65_536, 1), PIXELS, END),
    code: 'photo_too_many_pixels',
  },
  {
    name: 'a PNG of height 0',
    bytes: () => of(header(8, 0), PIXELS, END),
    code: 'photo_too_many_pixels',
  },
]
