import { describe, expect, test } from 'vitest'
import { orientationTiff } from '../../shared/image/exif.ts'
import { box, fullBox, type HeifSpec, heif, ispe, reference, u16, u32 } from './build-heif.ts'
import { clean } from './clean.ts'

const PIXELS = Buffer.alloc(32, 7)
const SECRET = Buffer.from('secret of 16 byt')

/** An image, and behind it 16 bytes that belong to `other`, or to nothing. */
function withOther(other: string | undefined, changes: Partial<HeifSpec> = {}): HeifSpec {
  return {
    items: [
      { id: 1, type: 'hvc1', extents: [[0, 32]] },
      ...(other === undefined ? [] : [{ id: 2, type: other, extents: [[32, 16] as const] }]),
    ],
    references: other === undefined ? [] : [reference('cdsc', 2, 1)],
    media: Buffer.concat([PIXELS, SECRET]),
    ...changes,
  }
}

const IMAGE: HeifSpec = { items: [{ id: 1, type: 'hvc1', extents: [[0, 32]] }], media: PIXELS }

describe('a HEIC', () => {
  test.for([
    { name: 'EXIF', spec: withOther('Exif') },
    { name: 'XMP', spec: withOther('mime') },
    { name: 'an item that nobody knows', spec: withOther('abcd') },
    { name: 'a JPEG', spec: withOther('jpeg') },
    { name: 'bytes of no item', spec: withOther(undefined) },
    { name: 'a thumbnail', spec: withOther('hvc1', { references: [reference('thmb', 2, 1)] }) },
    {
      name: 'an item in idat',
      spec: {
        ...IMAGE,
        items: [...IMAGE.items, { id: 2, type: 'Exif', method: 1, extents: [[0, 16] as const] }],
        idat: SECRET,
      },
    },
    { name: 'bytes of no item in idat', spec: { ...IMAGE, idat: SECRET } },
    {
      name: 'bytes of no item before its image in idat',
      spec: {
        items: [{ id: 1, type: 'hvc1', method: 1, extents: [[16, 32] as const] }],
        idat: Buffer.concat([SECRET, PIXELS]),
        media: Buffer.alloc(0),
      },
    },
    { name: 'a box in meta', spec: { ...IMAGE, inMeta: [box('xml ', SECRET)] } },
    { name: 'a box in front of its image', spec: { ...IMAGE, between: [box('uuid', SECRET)] } },
    { name: 'a film in front of its image', spec: { ...IMAGE, between: [box('mpvd', SECRET)] } },
    { name: 'a description', spec: { ...IMAGE, properties: [ispe(), fullBox('udes', 0, SECRET)] } },
    {
      name: 'an unknown colour',
      spec: { ...IMAGE, properties: [ispe(), box('colr', 'text', SECRET)] },
    },
    {
      name: 'an address of another file',
      spec: { ...IMAGE, inMeta: [box('dinf', box('dref', SECRET))] },
    },
    {
      name: 'a group that is more than numbers',
      spec: { ...IMAGE, inMeta: [box('grpl', fullBox('altr', 0, u32(1, 1), SECRET))] },
    },
  ])('loses $name and keeps its size', async ({ spec }) => {
    const file = heif(spec)

    const { output, facts } = await clean(file, 50)

    expect(output.length + facts.trailingBytes).toBe(file.length)
    expect(output.includes('secret')).toBe(false)
    expect(output.includes(PIXELS)).toBe(true)
    expect(file.includes('secret')).toBe(true)
  })

  test.for([
    { name: 'one image', spec: IMAGE },
    {
      name: 'zeros of no item',
      spec: { ...IMAGE, media: Buffer.concat([PIXELS, Buffer.alloc(99)]) },
    },
    {
      name: 'free space in front of its image',
      spec: { ...IMAGE, between: [box('free', Buffer.alloc(9))] },
    },
    {
      name: 'colours, rotation and crop',
      spec: {
        ...IMAGE,
        properties: ['nclx', 'prof']
          .map((c) => box('colr', c, SECRET))
          .concat(ispe(), box('irot', '\x01'), box('clap', SECRET)),
        associations: [[1, [1, 3, 4, 5]] as const],
      },
    },
    {
      name: 'an image in pieces',
      spec: {
        ...IMAGE,
        items: [
          {
            id: 1,
            type: 'hvc1',
            extents: [
              [0, 8],
              [8, 24],
            ] as const,
          },
        ],
      },
    },
    {
      name: 'its image in idat',
      spec: {
        ...IMAGE,
        items: [{ id: 1, type: 'hvc1', method: 1, extents: [[0, 32]] as const }],
        idat: PIXELS,
        media: Buffer.alloc(0),
      },
    },
    {
      name: 'two images of the same bytes',
      spec: {
        ...IMAGE,
        items: [1, 2].map((id) => ({ id, type: 'hvc1', extents: [[0, 32]] as const })),
      },
    },
    {
      name: 'an alpha plane and a group',
      spec: {
        ...IMAGE,
        items: [
          { id: 1, type: 'hvc1', extents: [[0, 16]] as const },
          { id: 2, type: 'hvc1', extents: [[16, 16]] as const },
        ],
        references: [reference('auxl', 2, 1)],
        inMeta: [box('grpl', fullBox('altr', 0, u32(9, 2, 1, 2)))],
      },
    },
  ])('of $name stays as it came', async ({ spec }) => {
    const file = heif(spec)
    const last = spec.media.length === 0 ? file.subarray(0, -8) : file

    const { output, facts } = await clean(file, 50)

    expect(output.equals(last)).toBe(true)
    expect(facts).toMatchObject({ width: 64, height: 64 })
  })

  test('is cut behind the box of its last pixel', async () => {
    const file = heif({ ...IMAGE, after: [box('mpvd', SECRET), Buffer.from('SEFT')] })

    const { output, facts } = await clean(file, 50)

    expect(output.equals(heif(IMAGE))).toBe(true)
    expect(facts.trailingBytes).toBe(28)
  })

  test('loses the alpha plane of a thumbnail with it', async () => {
    const file = heif(
      withOther('hvc1', {
        items: [
          { id: 1, type: 'hvc1', extents: [[0, 32]] },
          { id: 2, type: 'hvc1', extents: [[32, 8]] },
          { id: 3, type: 'hvc1', extents: [[40, 8]] },
        ],
        references: [reference('auxl', 3, 2), reference('thmb', 2, 1)],
      }),
    )

    const { output } = await clean(file)

    expect(output.includes(SECRET.subarray(0, 8))).toBe(false)
    expect(output.includes(SECRET.subarray(8))).toBe(false)
  })

  test('does not go with a thumbnail that is made of it', async () => {
    const file = heif({
      ...IMAGE,
      items: [...IMAGE.items, { id: 2, type: 'iden', extents: [] }],
      references: [reference('dimg', 2, 1), reference('thmb', 2, 1)],
    })

    const { output } = await clean(file)

    expect(output.includes(PIXELS)).toBe(true)
    expect(output.includes('thmb')).toBe(false)
  })

  test('loses the names of handler and items, but for those that encoders give', async () => {
    const file = (handler: string, name: string): Buffer =>
      heif({ ...IMAGE, handler, items: [{ id: 1, type: 'hvc1', name, extents: [[0, 32]] }] })

    const told = await clean(file('secret handler', 'secret item'))
    const long = await clean(file(`${'\0'.repeat(500_000)}secret`, `${'\0'.repeat(500_000)}secret`))
    const usual = await clean(file('libavif', 'Color'))

    expect(told.output.includes('secret')).toBe(false)
    expect(long.output.includes('secret')).toBe(false)
    expect(usual.output.equals(file('libavif', 'Color'))).toBe(true)
  })

  test('has the time that its EXIF item says, wherever the TIFF block begins in it', async () => {
    const tiff = Buffer.alloc(64)
    orientationTiff(6, true).copy(tiff)
    tiff.writeUInt16BE(0x9003, 10)
    tiff.writeUInt16BE(2, 12)
    tiff.writeUInt32BE(20, 14)
    tiff.writeUInt32BE(30, 18)
    tiff.write('2024:05:06 07:08:09', 30)
    const item = Buffer.concat([u32(6), Buffer.from('Exif\0\0'), tiff])
    const spec = withOther(undefined, {
      items: [
        { id: 1, type: 'hvc1', extents: [[0, 32]] },
        {
          id: 2,
          type: 'Exif',
          extents: [
            [32, 40],
            [72, item.length - 40],
          ],
        },
      ],
      media: Buffer.concat([PIXELS, item]),
    })

    const { facts, output } = await clean(heif(spec), 9)

    expect(facts.takenAt?.toISOString()).toBe('2024-05-06T07:08:09.000Z')
    expect(output.includes('2024:')).toBe(false)
  })

  test('may say the size of its image data in 64 bits', async () => {
    const plain = heif(IMAGE)
    const at = plain.indexOf('mdat') - 4
    const large = Buffer.concat([
      plain.subarray(0, at),
      u32(1),
      Buffer.from('mdat'),
      u32(0, 16 + PIXELS.length),
      PIXELS,
    ])
    const offsetAt = large.indexOf('iloc') + 4 + 4 + 4 + 8
    large.writeUInt32BE(large.readUInt32BE(offsetAt) + 8, offsetAt)

    const { output } = await clean(large, 5)

    expect(output.equals(large)).toBe(true)
  })

  test('may have ids of four bytes', async () => {
    const file = heif(IMAGE)
    const wide = Buffer.concat([
      fullBox('pitm', 1, u32(1)),
      fullBox('iinf', 1, u32(1), fullBox('infe', 3, u32(1), u16(0), Buffer.from('hvc1\0'))),
    ])
    const at = file.indexOf('pitm') - 4
    const behind = file.indexOf('iloc') - 4
    const changed = Buffer.concat([file.subarray(0, at), wide, file.subarray(behind)])
    const grown = changed.length - file.length
    const metaAt = changed.indexOf('meta') - 4
    changed.writeUInt32BE(changed.readUInt32BE(metaAt) + grown, metaAt)
    const offsetAt = changed.indexOf('iloc') + 20
    changed.writeUInt32BE(changed.readUInt32BE(offsetAt) + grown, offsetAt)

    const { output } = await clean(changed, 5)

    expect(output.equals(changed)).toBe(true)
  })
})

test.for([
  { major: 'heic', others: ['mif1', 'heic'], type: 'image/heic', item: 'hvc1' },
  { major: 'heix', others: ['mif1', 'heix'], type: 'image/heic', item: 'hvc1' },
  { major: 'mif1', others: ['mif1', 'heic'], type: 'image/heic', item: 'hvc1' },
  { major: 'avif', others: ['avif', 'mif1', 'miaf', 'MA1B'], type: 'image/avif', item: 'av01' },
  { major: 'avif', others: [], type: 'image/avif', item: 'av01' },
  { major: 'mif1', others: ['miaf', 'avif'], type: 'image/avif', item: 'av01' },
])('$major with $others is $type', async ({ major, others, type, item }) => {
  const items = [{ id: 1, type: item, extents: [[0, 32]] as const }]

  const { facts } = await clean(heif({ ...IMAGE, brands: [major, ...others], items }), 1)

  expect(facts.contentType).toBe(type)
})
