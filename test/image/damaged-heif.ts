import { box, fullBox, type HeifSpec, heif, ispe, reference, u16, u32 } from './build-heif.ts'
import type { DamagedRow } from './damaged-row.ts'

const MEDIA = Buffer.alloc(64, 7)

/** One image of 32 bytes and EXIF behind it. */
const PLAIN: HeifSpec = {
  items: [
    { id: 1, type: 'hvc1', extents: [[0, 32]] },
    { id: 2, type: 'Exif', extents: [[32, 32]] },
  ],
  references: [reference('cdsc', 2, 1)],
  media: MEDIA,
}

const but = (changes: Partial<HeifSpec>): Buffer => heif({ ...PLAIN, ...changes })
const ftypOf = (file: Buffer): Buffer => file.subarray(0, file.readUInt32BE(0))
const metaOf = (file: Buffer): Buffer => {
  const at = file.readUInt32BE(0)
  return file.subarray(at, at + file.readUInt32BE(at))
}

/** The file with the four bytes before or after some letters replaced. */
function patched(letters: string, offset: number, value: number): Buffer {
  const file = heif(PLAIN)
  file.writeUInt32BE(value, file.indexOf(letters) + offset)
  return file
}

/** Images made of one another: 2 of 1, 3 of 2 and so on, the last being the photo. */
function chain(length: number): Buffer {
  const derived = Array.from({ length }, (_, n) => ({ id: n + 2, type: 'iden', extents: [] }))
  return but({
    items: [{ id: 1, type: 'hvc1', extents: [[0, 32]] }, ...derived],
    references: derived.map(({ id }) => reference('dimg', id, id - 1)),
  })
}

const grid = (...inputs: readonly number[]): Partial<HeifSpec> => ({
  items: [
    { id: 1, type: 'grid', method: 1, extents: [[0, 8]] },
    { id: 2, type: 'hvc1', extents: [[0, 32]] },
  ],
  references: inputs.length === 0 ? [] : [reference('dimg', 1, ...inputs)],
  idat: Buffer.from([0, 0, 0, 0, 0, 64, 0, 64]),
})

/** HEICs that are refused; AVIF goes the same way. */
export const damagedHeifs: readonly DamagedRow[] = [
  {
    name: 'an AVIF whose ftyp says size 0',
    bytes: () => Buffer.concat([u32(0), Buffer.from('ftypavif'), Buffer.alloc(20)]),
  },
  {
    name: 'a HEIC with more brands than there are',
    bytes: () => but({ brands: ['heic', ...Array.from({ length: 1100 }, () => 'mif1')] }),
  },
  { name: 'a HEIC with ftyp alone', bytes: () => ftypOf(heif(PLAIN)) },
  { name: 'a HEIC without image data', bytes: () => heif(PLAIN).subarray(0, -72) },
  {
    name: 'a HEIC whose meta comes after its image data',
    bytes: () => Buffer.concat([ftypOf(heif(PLAIN)), box('mdat', MEDIA), metaOf(heif(PLAIN))]),
  },
  { name: 'a HEIC with two meta boxes', bytes: () => but({ between: [metaOf(heif(PLAIN))] }) },
  { name: 'a HEIC that begins twice', bytes: () => but({ between: [ftypOf(heif(PLAIN))] }) },
  { name: 'a HEIC box of size 0', bytes: () => but({ between: [u32(0), Buffer.from('free')] }) },
  { name: 'a HEIC box of size 7', bytes: () => but({ between: [u32(7), Buffer.from('free')] }) },
  { name: 'a HEIC whose mdat says size 0', bytes: () => patched('mdat', -4, 0) },
  { name: 'a HEIC whose mdat ends within an item', bytes: () => patched('mdat', -4, 24) },
  { name: 'a HEIC whose mdat says more than there is', bytes: () => patched('mdat', -4, 4000) },
  {
    name: 'a HEIC whose meta is larger than 1 MiB',
    bytes: () => but({ inMeta: [box('free', Buffer.alloc(1_048_576))] }),
  },
  { name: 'a HEIC box within meta of size 0', bytes: () => patched('iinf', -4, 0) },
  { name: 'a HEIC box within meta that is too large', bytes: () => patched('ispe', -4, 4000) },
  {
    name: 'a HEIC with two item lists',
    bytes: () => but({ inMeta: [fullBox('iinf', 0, u16(0))] }),
  },
  {
    name: 'a HEIC with two locations',
    bytes: () => but({ inMeta: [fullBox('iloc', 1, u16(0x4400, 0))] }),
  },
  { name: 'a HEIC without a handler for pictures', bytes: () => patched('pict', 0, 0x76696465) },
  { name: 'a HEIC without a primary item', bytes: () => patched('pitm', 0, 0x66726565) },
  { name: 'a HEIC whose primary item is not there', bytes: () => patched('pitm', 6, 9 << 16) },
  { name: 'a HEIC whose primary item is EXIF', bytes: () => patched('pitm', 6, 2 << 16) },
  {
    name: 'a HEIC with two items of one id',
    bytes: () => but({ items: [...PLAIN.items, { id: 1, type: 'hvc1', extents: [[0, 32]] }] }),
  },
  { name: 'a HEIC that counts more items than it has', bytes: () => patched('iinf', 6, 3 << 16) },
  { name: 'a HEIC with an item that is protected', bytes: () => patched('hvc1', -2, 0x00016876) },
  { name: 'a HEIC item description of version 0', bytes: () => patched('infe', 4, 0) },
  {
    name: 'a HEIC whose image has no bytes',
    bytes: () => but({ items: [{ id: 1, type: 'hvc1', extents: [] }] }),
  },
  {
    name: 'a HEIC whose image has an empty extent',
    bytes: () => but({ items: [{ id: 1, type: 'hvc1', extents: [[0, 0]] }] }),
  },
  {
    name: 'a HEIC whose image is within another item',
    bytes: () => but({ items: [{ id: 1, type: 'hvc1', method: 2, extents: [[0, 32]] }] }),
  },
  {
    name: 'a HEIC whose image ends behind the file',
    bytes: () => but({ items: [{ id: 1, type: 'hvc1', extents: [[0, 65]] }] }),
  },
  {
    name: 'a HEIC whose image begins before mdat',
    bytes: () => but({ items: [{ id: 1, type: 'hvc1', extents: [[-8, 32]] }] }),
  },
  {
    name: 'a HEIC whose image is in a box that is no mdat',
    bytes: () =>
      but({
        items: [{ id: 1, type: 'hvc1', extents: [[72, 8]] }],
        after: [box('free', Buffer.alloc(64))],
      }),
  },
  {
    name: 'a HEIC whose image is behind idat',
    bytes: () =>
      but({
        items: [{ id: 1, type: 'hvc1', method: 1, extents: [[0, 32]] }],
        idat: Buffer.alloc(31),
      }),
  },
  {
    name: 'a HEIC whose image is in idat, without one',
    bytes: () => but({ items: [{ id: 1, type: 'hvc1', method: 1, extents: [[0, 32]] }] }),
  },
  {
    name: 'a HEIC whose EXIF overlaps its image',
    bytes: () =>
      but({
        items: [
          { id: 1, type: 'hvc1', extents: [[0, 32]] },
          { id: 2, type: 'Exif', extents: [[31, 32]] },
        ],
      }),
  },
  {
    name: 'a HEIC whose EXIF is its image',
    bytes: () =>
      but({
        items: [
          { id: 1, type: 'hvc1', extents: [[0, 32]] },
          { id: 2, type: 'Exif', extents: [[0, 32]] },
        ],
      }),
  },
  {
    name: 'a HEIC with an image located twice',
    bytes: () => patched('\0\x02\0\0\0\0\0\x01', 0, 1 << 16),
  },
  { name: 'a HEIC whose offsets have three bytes', bytes: () => patched('iloc', 8, 0x34000002) },
  { name: 'a HEIC of location version 3', bytes: () => patched('iloc', 4, 3 << 24) },
  { name: 'a HEIC without a size', bytes: () => but({ properties: [box('free')] }) },
  {
    name: 'a HEIC whose image has two sizes',
    bytes: () => but({ properties: [ispe(), ispe(640, 480)], associations: [[1, [1, 2]]] }),
  },
  {
    name: 'a HEIC whose image has one size twice',
    bytes: () =>
      but({
        associations: [
          [1, [1]],
          [1, [1]],
        ],
      }),
  },
  {
    name: 'a HEIC whose size is too short',
    bytes: () => but({ properties: [fullBox('ispe', 0, u32(64))] }),
  },
  {
    name: 'a HEIC property that is larger than its list',
    bytes: () => {
      const file = but({ properties: [ispe(), box('irot', '\0')] })
      file.writeUInt32BE(20, file.indexOf('irot') - 4)
      return file
    },
  },
  {
    name: 'a HEIC of two images that overlap',
    bytes: () =>
      but({
        items: [
          { id: 1, type: 'hvc1', extents: [[0, 32]] },
          { id: 2, type: 'hvc1', extents: [[16, 32]] },
        ],
      }),
  },
  {
    name: 'a HEIC with two property lists',
    bytes: () => but({ properties: [ispe()], inMeta: [box('iprp', box('ipco'))] }),
  },
  {
    name: 'a HEIC that needs a property nobody knows',
    bytes: () => but({ properties: [ispe(), box('abcd')], associations: [[1, [1, 0x82]]] }),
  },
  {
    name: 'a HEIC of an image that is coded as AV1',
    bytes: () => but({ items: [{ id: 1, type: 'av01', extents: [[0, 32]] }] }),
  },
  {
    name: 'an AVIF of an image that is coded as HEVC',
    bytes: () => but({ brands: ['avif', 'mif1', 'avif'] }),
  },
  {
    name: 'a HEIC of an image that is a JPEG',
    bytes: () => but({ items: [{ id: 1, type: 'jpeg', extents: [[0, 32]] }] }),
  },
  { name: 'a HEIC grid of nothing', bytes: () => but(grid()) },
  { name: 'a HEIC grid of itself', bytes: () => but(grid(1)) },
  {
    name: 'a HEIC grid of an item that is not there',
    bytes: () => but({ ...grid(2, 9), idat: Buffer.from([0, 0, 0, 1, 0, 64, 0, 64]) }),
  },
  {
    name: 'a HEIC grid that is made twice',
    bytes: () =>
      but({ ...grid(2), references: [reference('dimg', 1, 2), reference('dimg', 1, 2)] }),
  },
  {
    name: 'a HEIC grid of other sides than its size',
    bytes: () => but({ ...grid(2), idat: Buffer.from([0, 0, 0, 0, 0, 64, 0, 32]) }),
  },
  {
    name: 'a HEIC grid of more tiles than it has',
    bytes: () => but({ ...grid(2), idat: Buffer.from([0, 0, 1, 1, 0, 64, 0, 64]) }),
  },
  {
    name: 'a HEIC grid in mdat of other sides than its size',
    bytes: () =>
      but({
        ...grid(2),
        items: [
          { id: 1, type: 'grid', extents: [[32, 8]] },
          { id: 2, type: 'hvc1', extents: [[0, 32]] },
        ],
      }),
  },
  {
    name: 'a HEIC grid in pieces',
    bytes: () =>
      but({
        ...grid(2),
        items: [
          {
            id: 1,
            type: 'grid',
            method: 1,
            extents: [
              [0, 4],
              [4, 4],
            ],
          },
          { id: 2, type: 'hvc1', extents: [[0, 32]] },
        ],
      }),
  },
  { name: 'a HEIC of images made of one another, 17 deep', bytes: () => chain(17) },
  { name: 'a HEIC of images made of one another, 2,000 deep', bytes: () => chain(2000) },
  {
    name: 'a HEIC with 10,001 boxes',
    bytes: () => but({ between: Array.from({ length: 10_001 }, () => box('free')) }),
  },
  {
    name: 'a HEIC with 10,001 items',
    bytes: () =>
      but({
        items: [
          ...PLAIN.items,
          ...Array.from({ length: 10_001 }, (_, n) => ({ id: n + 3, type: 'mime', extents: [] })),
        ],
      }),
  },
  {
    name: 'a HEIC of 1,001 images',
    bytes: () =>
      but({
        items: Array.from({ length: 1001 }, (_, n) => ({
          id: n + 1,
          type: 'hvc1',
          extents: [[0, 32]] as const,
        })),
        references: [],
      }),
    code: 'photo_too_many_pixels',
  },
  {
    name: 'a HEIC of 65,535 by 65,535',
    bytes: () => but({ properties: [ispe(65_535, 65_535)] }),
    code: 'photo_too_many_pixels',
  },
  {
    name: 'a HEIC of width 0',
    bytes: () => but({ properties: [ispe(0, 64)] }),
    code: 'photo_too_many_pixels',
  },
  {
    name: 'a HEIC with a film in front of its image',
    bytes: () => but({ between: [box('moov', Buffer.alloc(8))] }),
    code: 'unsupported_image_type',
  },
]
