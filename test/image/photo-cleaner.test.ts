import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { PHOTO_CONTENT_TYPES } from '../../shared/domain/photo-type.ts'
import { PhotoCleaner } from '../../shared/image/photo-cleaner.ts'
import { heif } from './build-heif.ts'
import { jpeg } from './build-jpeg.ts'
import { chunk, png } from './build-png.ts'
import { riffChunk, webp } from './build-webp.ts'
import { clean } from './clean.ts'
import { photos, polyglots } from './corpus.ts'
import { latitudes, tellingWords } from './traces.ts'

test.for(PHOTO_CONTENT_TYPES.map((type) => ({ type })))(
  'photos of at least three encoders are there for $type',
  ({ type }) => {
    const encoders = photos.filter((p) => p.contentType === type).map((p) => p.encoder)

    expect(new Set(encoders).size).toBeGreaterThanOrEqual(3)
  },
)

describe.for(photos)('$name', (photo) => {
  const original = readFileSync(photo.file)

  test('is known by its bytes, with size, time and trailing bytes', async () => {
    const { facts } = await clean(original)

    expect({ ...facts, takenAt: facts.takenAt?.toISOString() }).toEqual({
      contentType: photo.contentType,
      width: photo.width,
      height: photo.height,
      takenAt: photo.takenAt,
      trailingBytes: photo.trailingBytes,
    })
  })

  test('says after the cleaning neither who nor where', async () => {
    const { output } = await clean(original)

    expect(tellingWords(output)).toEqual([])
    expect(latitudes(output)).toEqual([])
    for (const latitude of latitudes(original)) expect(output.includes(latitude)).toBe(false)
  })

  test('is what the corpus says of it before the cleaning', async () => {
    const saysWhere = latitudes(original).length > 0 || original.includes('GPSLatitude')

    const { output } = await clean(original)

    expect({ hasGps: saysWhere, clean: output.equals(original) }).toEqual({
      hasGps: photo.hasGps,
      clean: photo.clean,
    })
  })

  test('is not changed by a second cleaning', async () => {
    const once = await clean(original)

    const twice = await clean(once.output)

    expect(twice.output.equals(once.output)).toBe(true)
    expect(twice.facts.trailingBytes).toBe(0)
    expect(twice.facts.takenAt).toBeUndefined()
  })
})

test.for(polyglots)(
  '$name ends where the image ends',
  async ({ bytes, imageBytes, contentType }) => {
    const file = bytes()

    const { output, facts } = await clean(file)

    expect(output.equals(file.subarray(0, imageBytes))).toBe(true)
    expect(facts.contentType).toBe(contentType)
    expect(facts.trailingBytes).toBe(file.length - imageBytes)
  },
)

describe('the stream', () => {
  test('says the type as soon as the first bytes show it', async () => {
    const cleaner = new PhotoCleaner({ maxPixels: 1 })
    const type = cleaner.contentType()

    cleaner.write(Buffer.from([0xff, 0xd8]))
    cleaner.write(Buffer.from([0xff, 0xe0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0]))

    expect(await type).toBe('image/jpeg')
    expect(await cleaner.contentType()).toBe('image/jpeg')
    cleaner.destroy()
  })

  test('says what is wrong to who waits for the type', async () => {
    const cleaner = new PhotoCleaner({ maxPixels: 1 })
    cleaner.on('error', () => undefined)
    const type = cleaner.contentType()

    cleaner.end('This is not a photo.')

    await expect(type).rejects.toMatchObject({ code: 'unsupported_image_type' })
    await expect(cleaner.contentType()).rejects.toMatchObject({ code: 'unsupported_image_type' })
  })

  test('does not leave who waits for the type waiting when it is destroyed', async () => {
    const cleaner = new PhotoCleaner({ maxPixels: 1 })
    const type = cleaner.contentType()

    cleaner.destroy()

    await expect(type).rejects.toMatchObject({ code: 'image_damaged' })
  })

  test('has no facts before its end', () => {
    const cleaner = new PhotoCleaner({ maxPixels: 200_000_000 })

    cleaner.write(jpeg(Buffer.alloc(8)).subarray(0, -1))

    expect(() => cleaner.facts).toThrow('known when its stream has ended')
  })

  test('takes the pixels and frames of its caller as limits', async () => {
    const photo = jpeg(Buffer.alloc(8), 64, 48)
    const frames = photos.find(({ name }) => name === 'ffmpeg-animated-plain.gif')

    await expect(clean(photo, 9, { maxPixels: 64 * 48 })).resolves.toBeDefined()
    await expect(clean(photo, 9, { maxPixels: 64 * 48 - 1 })).rejects.toMatchObject({
      code: 'photo_too_many_pixels',
    })
    await expect(
      clean(readFileSync(frames?.file ?? ''), 999, { maxPixels: 200_000_000, maxFrames: 4 }),
    ).rejects.toMatchObject({ code: 'photo_too_many_pixels' })
  })

  test.for([
    { format: 'JPEG', photo: jpeg(Buffer.alloc(2_000_000, 7)) },
    { format: 'PNG', photo: png(chunk('IDAT', Buffer.alloc(2_000_000, 7))) },
    {
      format: 'WebP',
      photo: webp([
        riffChunk('VP8L', Buffer.concat([Buffer.from([0x2f]), Buffer.alloc(2_000_001)])),
      ]),
    },
    {
      format: 'HEIC',
      photo: heif({
        items: [{ id: 1, type: 'hvc1', extents: [[9, 1_999_991]] }],
        media: Buffer.alloc(2_000_000, 7),
      }),
    },
  ])('of a $format holds back no more than the chunk at hand', ({ photo }) => {
    const cleaner = new PhotoCleaner({ maxPixels: 200_000_000 })
    let out = 0
    let most = 0
    cleaner.on('data', (bytes: Buffer) => {
      out += bytes.length
    })

    for (let at = 0; at < photo.length; at += 65_536) {
      cleaner.write(photo.subarray(at, at + 65_536))
      while (cleaner.read() !== null);
      most = Math.max(most, Math.min(at + 65_536, photo.length) - out)
    }

    expect(most).toBeLessThanOrEqual(65_536)
  })
})
