import { describe, expect, test } from 'vitest'
import { orientationTiff } from '../../shared/image/exif.ts'
import { extension, gif, picture, screen, TRAILER } from './build-gif.ts'
import { EOI, entropy, frame, jpeg, SCAN, SOI, segment } from './build-jpeg.ts'
import { chunk, END, header, PIXELS, png, SIGNATURE } from './build-png.ts'
import { animationFrame, extended, LOOPS, lossless, riffChunk, webp } from './build-webp.ts'
import { clean } from './clean.ts'

const BITS = Buffer.from([0x12, 0x34, 0xff, 0x00, 0x56])
const join = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts)

describe('a JPEG', () => {
  const of = (...parts: readonly Buffer[]): Buffer =>
    join(SOI, ...parts, frame(64, 48), SCAN, BITS, EOI)
  const JFIF = Buffer.from('JFIF\0\x01\x02\x01\0\x48\0\x48\0\0', 'latin1')
  const ADOBE = Buffer.from('Adobe\0\x64\0\0\0\0\x01', 'latin1')
  const exif = (tiff: Buffer): Buffer => segment(0xe1, join(Buffer.from('Exif\0\0'), tiff))

  test.for([
    { name: 'JFIF', kept: segment(0xe0, JFIF) },
    {
      name: 'a colour profile in two segments',
      kept: join(segment(0xe2, 'ICC_PROFILE\0\x01\x02a'), segment(0xe2, 'ICC_PROFILE\0\x02\x02b')),
    },
    { name: 'the Adobe segment', kept: segment(0xee, ADOBE) },
    {
      name: 'tables and the restart interval',
      kept: join(segment(0xc4, Buffer.alloc(20)), segment(0xdd, Buffer.alloc(2))),
    },
    {
      name: 'an EXIF that says the orientation and no more',
      kept: exif(orientationTiff(6, false)),
    },
    { name: 'five fill bytes before a marker', kept: Buffer.alloc(5, 0xff) },
    { name: 'a thousand fill bytes before a marker', kept: Buffer.alloc(1000, 0xff) },
  ])('keeps $name', async ({ kept }) => {
    const file = of(kept)

    expect((await clean(file, 7)).output.equals(file)).toBe(true)
  })

  test.for([
    { name: 'a comment', gone: segment(0xfe, 'hello') },
    {
      name: 'a comment with fill bytes before it',
      gone: join(Buffer.alloc(3, 0xff), segment(0xfe, 'hello')),
    },
    { name: 'a JFXX thumbnail', gone: segment(0xe0, 'JFXX\0\x10thumbnail') },
    { name: 'XMP', gone: segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>') },
    { name: 'EXIF without an orientation', gone: exif(Buffer.from('MM\0*\0\0\0\x08\0\0\0\0\0\0')) },
    { name: 'EXIF that makes no sense', gone: exif(Buffer.from('nonsense')) },
    { name: 'MPF', gone: segment(0xe2, 'MPF\0II*\0') },
    { name: 'IPTC', gone: segment(0xed, 'Photoshop 3.0\x008BIM') },
    { name: 'a maker’s own segment', gone: segment(0xe5, 'maker') },
    { name: 'an empty segment', gone: segment(0xef) },
    { name: 'an Adobe segment that is too short', gone: segment(0xee, 'Adobe') },
    { name: 'a JFIF segment that is too short', gone: segment(0xe0, 'JFIF\0') },
  ])('loses $name', async ({ gone }) => {
    expect((await clean(of(gone), 7)).output.equals(of())).toBe(true)
  })

  test('loses the thumbnail in its JFIF segment', async () => {
    const withThumbnail = Buffer.concat([JFIF, Buffer.alloc(12, 0x55)])
    withThumbnail.set([2, 2], 12)

    const { output } = await clean(of(segment(0xe0, withThumbnail)))

    expect(output.equals(of(segment(0xe0, JFIF)))).toBe(true)
  })

  test('keeps of its EXIF the orientation in its own byte order, and only once', async () => {
    const more = join(orientationTiff(6, true), Buffer.from('more'))

    const { output } = await clean(of(exif(more), exif(orientationTiff(3, true))))

    expect(output.equals(of(exif(orientationTiff(6, true))))).toBe(true)
  })

  test('has the height that DNL says', async () => {
    const file = join(SOI, frame(64, 0), SCAN, BITS, segment(0xdc, Buffer.from([0, 48])), EOI)

    const { facts, output } = await clean(file, 3)

    expect(facts).toMatchObject({ width: 64, height: 48 })
    expect(output.equals(file)).toBe(true)
  })

  test('keeps a million fill bytes, before a marker and in a scan', async () => {
    const fill = Buffer.alloc(1_000_000, 0xff)
    const file = join(SOI, fill, frame(64, 48), SCAN, BITS, fill, Buffer.from([0]), BITS, EOI)

    expect((await clean(file)).output.equals(file)).toBe(true)
  })

  test('keeps restart markers, stuffed and fill bytes within its scans', async () => {
    const bits = join(
      entropy(3000),
      Buffer.from([0xff, 0xd0, 1, 0xff, 0xff, 0xd7, 2, 0xff, 0, 0xff]),
    )
    const file = join(jpeg(bits).subarray(0, -2), SCAN, BITS, EOI)

    expect((await clean(file, 11)).output.equals(file)).toBe(true)
  })
})

describe('a PNG', () => {
  test.for(
    'tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs'
      .split(' ')
      .map((type) => ({ type })),
  )('keeps $type', async ({ type }) => {
    const file = png(chunk(type, 'content'))

    expect((await clean(file, 5)).output.equals(file)).toBe(true)
  })

  test.for(
    'tEXt zTXt iTXt tIME iDOT caBX sPLT pCAL oFFs prVt fcTL fdAT'
      .split(' ')
      .map((type) => ({ type })),
  )('that is no animation loses $type', async ({ type }) => {
    const { output } = await clean(png(chunk(type, Buffer.alloc(26))), 5)

    expect(output.equals(png())).toBe(true)
  })

  test('keeps of eXIf the orientation, with a CRC, wherever it stands', async () => {
    const more = chunk('eXIf', join(orientationTiff(8, false), Buffer.alloc(70_000, 1)))
    const kept = chunk('eXIf', orientationTiff(8, false))
    const file = (exif: Buffer): Buffer => join(SIGNATURE, header(8, 8), PIXELS, exif, END)

    expect((await clean(file(more))).output.equals(file(kept))).toBe(true)
    expect((await clean(png(more, kept))).output.equals(png(kept))).toBe(true)
  })
})

describe('a GIF', () => {
  const LOOP = extension(0xff, 'NETSCAPE2.0', Buffer.from([1, 0, 0]))

  test.for([
    { name: 'the loop count', kept: LOOP },
    {
      name: 'the loop count in another spelling',
      kept: extension(0xff, 'ANIMEXTS1.0', Buffer.from([1, 3, 0])),
    },
    {
      name: 'loop count and buffering',
      kept: extension(0xff, 'NETSCAPE2.0', Buffer.from([1, 0, 0]), Buffer.from([2, 0, 0, 0, 0])),
    },
    {
      name: 'a colour profile',
      kept: extension(0xff, 'ICCRGBG1012', Buffer.alloc(255, 1), Buffer.alloc(9, 2)),
    },
    { name: 'a graphic control', kept: extension(0xf9, Buffer.from([4, 10, 0, 0])) },
  ])('keeps $name', async ({ kept }) => {
    expect((await clean(gif(kept), 3)).output.equals(gif(kept))).toBe(true)
  })

  test.for([
    { name: 'a comment', gone: extension(0xfe, 'hello', 'again') },
    { name: 'plain text', gone: extension(0x01, Buffer.alloc(12), 'text') },
    { name: 'XMP', gone: extension(0xff, 'XMP DataXMP', '<x:xmpmeta/>') },
    { name: 'IPTC', gone: extension(0xff, 'MGKIPTC0000', '8BIM') },
    {
      name: 'a loop count with a message',
      gone: extension(0xff, 'NETSCAPE2.0', Buffer.from([1, 0, 0]), 'message'),
    },
    {
      name: 'loop counts without end',
      gone: extension(
        0xff,
        'NETSCAPE2.0',
        ...Array.from({ length: 9 }, () => Buffer.from([1, 0, 0])),
      ),
    },
    { name: 'an extension that nobody knows', gone: extension(0x77, 'x') },
    { name: 'an empty extension', gone: extension(0xff) },
  ])('loses $name', async ({ gone }) => {
    expect((await clean(gif(LOOP, gone), 3)).output.equals(gif(LOOP))).toBe(true)
  })

  test('of the first version, with frames larger than its screen, passes', async () => {
    const file = join(screen(2, 2, '87a'), picture(4, 4, 1, 1), picture(), TRAILER)

    expect((await clean(file, 1)).output.equals(file)).toBe(true)
  })
})

describe('a WebP', () => {
  const image = lossless(8, 8)

  test('keeps its colour profile, loops and frames', async () => {
    const profile = riffChunk('ICCP', Buffer.from('profile'))
    const file = webp([
      extended(2, 8, 8),
      profile,
      LOOPS,
      animationFrame(8, 8, image),
      animationFrame(2, 2, lossless(2, 2)),
    ])

    expect((await clean(file, 5)).output.equals(file)).toBe(true)
  })

  test('keeps its size, and of XMP neither the flag nor the name nor a byte', async () => {
    const file = webp([extended(4, 8, 8), image, riffChunk('XMP ', Buffer.from('<x:xmpmeta/>!'))])

    const { output } = await clean(file, 5)

    expect(
      output.equals(webp([extended(0, 8, 8), image, riffChunk('JUNK', Buffer.alloc(13))])),
    ).toBe(true)
  })

  test('keeps of EXIF the orientation and zeros', async () => {
    const exif = (content: Buffer): Buffer =>
      webp([extended(8, 8, 8), image, riffChunk('EXIF', content)])
    const tiff = orientationTiff(6, true)

    const { output } = await clean(exif(join(Buffer.from('Exif\0\0'), tiff, Buffer.from('more'))))

    expect(output.equals(exif(join(tiff, Buffer.alloc(10))))).toBe(true)
  })

  test('has no orientation where its EXIF has none, and no room is needed', async () => {
    const exif = (content: Buffer): Buffer =>
      webp([extended(8, 8, 8), image, riffChunk('EXIF', content)])

    const { output } = await clean(exif(Buffer.from('secret')))

    expect(output.equals(exif(Buffer.from('II*\0\x08\0')))).toBe(true)
  })

  test('keeps of two EXIF the first', async () => {
    const tiff = orientationTiff(6, true)
    const file = (type: string, content: Buffer): Buffer =>
      webp([extended(8, 8, 8), image, riffChunk('EXIF', tiff), riffChunk(type, content)])

    const { output } = await clean(file('EXIF', orientationTiff(3, true)))

    expect(output.equals(file('JUNK', Buffer.alloc(26)))).toBe(true)
  })

  test.for([
    { name: 'an unknown chunk', chunks: [image, riffChunk('note', Buffer.from('hello'))] },
    {
      name: 'a second colour profile',
      chunks: [
        extended(0, 8, 8),
        riffChunk('ICCP', Buffer.from('p')),
        riffChunk('ICCP', Buffer.from('hello')),
        image,
      ],
    },
    {
      name: 'a colour profile behind the image',
      chunks: [extended(0, 8, 8), image, riffChunk('ICCP', Buffer.from('hello'))],
    },
    {
      name: 'an unknown chunk in a frame',
      chunks: [
        extended(2, 8, 8),
        LOOPS,
        animationFrame(8, 8, image, riffChunk('note', Buffer.from('hello'))),
      ],
    },
  ])('loses $name', async ({ chunks }) => {
    const { output } = await clean(webp(chunks), 5)

    expect(output.includes('hello')).toBe(false)
    expect(output.length).toBe(webp(chunks).length)
  })
})
