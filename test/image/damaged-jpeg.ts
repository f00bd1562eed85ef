import { EOI, frame, jpeg, SCAN, SOI, segment } from './build-jpeg.ts'
import type { DamagedRow } from './damaged-row.ts'

const TABLE = segment(0xdb, Buffer.alloc(65, 1))
const BITS = Buffer.from([0x12, 0x34, 0xff, 0x00, 0x56])
const join = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts)

/** A JPEG of these segments. */
const of = (...parts: readonly Buffer[]): Buffer => join(SOI, ...parts, EOI)

function lines(height: number): Buffer {
  const content = Buffer.alloc(2)
  content.writeUInt16BE(height)
  return segment(0xdc, content)
}

/** JPEGs that are refused. */
export const damagedJpegs: readonly DamagedRow[] = [
  {
    name: 'a JPEG that ends after its first marker',
    bytes: () => Buffer.from([0xff, 0xd8, 0xff]),
  },
  { name: 'a JPEG without anything between SOI and EOI', bytes: () => of() },
  { name: 'a JPEG without a frame', bytes: () => of(TABLE) },
  { name: 'a JPEG without a scan', bytes: () => of(TABLE, frame(64, 48)) },
  { name: 'a JPEG with a scan before its frame', bytes: () => of(SCAN, BITS, frame(64, 48)) },
  { name: 'a JPEG without EOI', bytes: () => jpeg(BITS).subarray(0, -2) },
  {
    name: 'a JPEG with two frames of one size',
    bytes: () => of(frame(64, 48), frame(64, 48), SCAN, BITS),
  },
  {
    name: 'a JPEG with a second frame after its scan',
    bytes: () => of(frame(64, 48), SCAN, BITS, frame(640, 480)),
  },
  { name: 'a JPEG with two SOI', bytes: () => of(SOI, frame(64, 48), SCAN, BITS) },
  { name: 'a JPEG segment of size 0', bytes: () => of(Buffer.from([0xff, 0xfe, 0, 0])) },
  { name: 'a JPEG segment of size 1', bytes: () => of(Buffer.from([0xff, 0xdb, 0, 1])) },
  {
    name: 'a JPEG segment longer than the file',
    bytes: () => join(SOI, Buffer.from([0xff, 0xe1, 0xff, 0xff]), frame(64, 48), SCAN, BITS, EOI),
  },
  {
    name: 'a JPEG with junk between segments',
    bytes: () => of(TABLE, Buffer.from('junk'), frame(64, 48), SCAN, BITS),
  },
  {
    name: 'a JPEG of fill bytes without end',
    bytes: () => join(SOI, TABLE, Buffer.alloc(1000, 0xff)),
  },
  {
    name: 'a JPEG with a restart marker outside of a scan',
    bytes: () => of(Buffer.from([0xff, 0xd0]), frame(64, 48), SCAN, BITS),
  },
  {
    name: 'a JPEG with a reserved marker',
    bytes: () => of(frame(64, 48), SCAN, BITS, Buffer.from([0xff, 0x02, 0, 2])),
  },
  { name: 'a hierarchical JPEG', bytes: () => of(segment(0xde, Buffer.alloc(8)), frame(64, 48)) },
  { name: 'a JPEG with a differential frame', bytes: () => of(frame(64, 48, 0xc5), SCAN, BITS) },
  {
    name: 'a JPEG frame header that is too short',
    bytes: () => of(segment(0xc0, Buffer.from([8, 0, 48, 0])), SCAN, BITS),
  },
  {
    name: 'a JPEG frame header that counts five components',
    bytes: () => of(segment(0xc0, Buffer.from([8, 0, 48, 0, 64, 5, ...Array(15).fill(1)])), SCAN),
  },
  {
    name: 'a JPEG scan of a component that the frame has not',
    bytes: () => of(frame(64, 48), segment(0xda, Buffer.from([1, 9, 0, 0, 63, 0])), BITS),
  },
  {
    name: 'a JPEG scan header of a wrong size',
    bytes: () => of(frame(64, 48), segment(0xda, Buffer.from([3, 1, 0, 0, 63, 0])), BITS),
  },
  { name: 'a JPEG of height 0 without DNL', bytes: () => of(frame(64, 0), SCAN, BITS) },
  {
    name: 'a JPEG whose DNL contradicts its frame',
    bytes: () => of(frame(64, 48), SCAN, BITS, lines(480)),
  },
  {
    name: 'a JPEG whose DNL comes before its scan',
    bytes: () => of(frame(64, 0), lines(48), SCAN, BITS),
  },
  {
    name: 'a JPEG with two DNL',
    bytes: () => of(frame(64, 0), SCAN, BITS, lines(48), lines(49)),
  },
  {
    name: 'a JPEG with 10,001 comments',
    bytes: () => of(...Array.from({ length: 10_001 }, () => segment(0xfe)), frame(64, 48), SCAN),
  },
  {
    name: 'a JPEG of width 0',
    bytes: () => of(frame(0, 48), SCAN, BITS),
    code: 'photo_too_many_pixels',
  },
  {
    name: 'a JPEG of 65,535 by 65,535',
    bytes: () => jpeg(BITS, 65_535, 65_535),
    code: 'photo_too_many_pixels',
  },
  {
    name: 'a JPEG whose DNL makes it too large',
    bytes: () => of(frame(65_535, 0), SCAN, BITS, lines(65_535)),
    code: 'photo_too_many_pixels',
  },
]
