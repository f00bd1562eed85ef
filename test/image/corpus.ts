import { fileURLToPath } from 'node:url'
import type { PhotoContentType } from '../../shared/domain/photo-type.ts'
import type { ProblemCode } from '../../shared/domain/problem.ts'
import { extension, gif } from './build-gif.ts'
import { jpeg } from './build-jpeg.ts'
import { png } from './build-png.ts'
import { damagedGifsAndWebps } from './damaged-gif-webp.ts'
import { damagedHeifs } from './damaged-heif.ts'
import { damagedJpegs } from './damaged-jpeg.ts'
import { damagedPngs } from './damaged-png.ts'
import { mislabelled } from './mislabelled.ts'

/** Files that are refused, and with what: damaged, truncated, oversized and mislabelled. */
export const damaged: readonly {
  readonly name: string
  readonly bytes: () => Buffer
  readonly code: ProblemCode
}[] = [
  ...mislabelled,
  ...damagedJpegs,
  ...damagedPngs,
  ...damagedGifsAndWebps,
  ...damagedHeifs,
].map(({ name, bytes, code = 'image_damaged' }) => ({ name, bytes, code }))

export type Photo = {
  readonly name: string
  /** Absolute. */
  readonly file: string
  readonly contentType: PhotoContentType
  readonly width: number
  readonly height: number
  readonly encoder: string
  readonly hasGps: boolean
  /** Nothing to remove: it leaves as it came. */
  readonly clean: boolean
  /** As EXIF says it, and as it must say it afterwards; absent in formats that turn the image themselves. */
  readonly orientation?: number
  readonly hasProfile: boolean
  readonly takenAt?: string
  /** Bytes after the image. */
  readonly trailingBytes: number
}

type Row = Partial<Omit<Photo, 'name' | 'file'>>

const BASE = {
  width: 160,
  height: 120,
  hasGps: false,
  clean: false,
  hasProfile: false,
  trailingBytes: 0,
}
const PLAIN = { clean: true }
const TAGGED = { hasGps: true, takenAt: '2024-05-06T05:08:09.000Z' }
const PILLOW = { encoder: 'Pillow', hasGps: true, takenAt: '2024-05-06T07:08:09.000Z' }
const FRAMES = { width: 96, height: 64 }

const FILES: Readonly<Record<string, Row>> = {
  'camera-canon-s40.jpg': {
    encoder: 'Canon PowerShot S40',
    width: 480,
    height: 360,
    orientation: 1,
    takenAt: '2003-12-14T12:01:44.000Z',
  },
  'camera-canon-s400-photoshop.jpg': {
    encoder: 'Canon PowerShot S400, Adobe Photoshop 7',
    width: 640,
    height: 480,
    orientation: 1,
    takenAt: '2003-05-24T16:40:33.000Z',
  },
  'camera-iphone-4s.jpg': {
    encoder: 'Apple iPhone 4S',
    width: 180,
    height: 142,
    hasGps: true,
    takenAt: '2012-12-23T14:47:49.000Z',
  },
  'cjpeg-arithmetic.jpg': { encoder: 'libjpeg-turbo', orientation: 3, ...TAGGED },
  'cjpeg-grey-xmp.jpg': { encoder: 'libjpeg-turbo', hasGps: true },
  'cjpeg-plain.jpg': { encoder: 'libjpeg-turbo', ...PLAIN },
  'cjpeg-progressive-bigendian.jpg': { encoder: 'libjpeg-turbo', orientation: 8, ...TAGGED },
  'cjpeg-progressive-plain.jpg': { encoder: 'libjpeg-turbo', ...PLAIN },
  'cjpeg-restart-everything.jpg': {
    encoder: 'libjpeg-turbo',
    orientation: 6,
    hasProfile: true,
    ...TAGGED,
  },
  'cjpeg-three-scans.jpg': { encoder: 'libjpeg-turbo', ...TAGGED },
  'ffmpeg.jpg': { encoder: 'ffmpeg', ...TAGGED },
  'graphicsmagick-comment.jpg': { encoder: 'GraphicsMagick' },
  'imagemagick-cmyk-adobe.jpg': { encoder: 'ImageMagick', orientation: 2, ...TAGGED },
  'motion-photo-google.jpg': {
    encoder: 'libjpeg-turbo',
    orientation: 6,
    trailingBytes: 2867,
    ...TAGGED,
  },
  'motion-photo-samsung.jpg': { encoder: 'libjpeg-turbo', trailingBytes: 2923, ...TAGGED },
  'pillow-makernote.jpg': { orientation: 5, hasProfile: true, ...PILLOW },
  'pillow-mpf-second-image.jpg': { orientation: 5, trailingBytes: 2175, ...PILLOW },

  'ffmpeg-16bit.png': { encoder: 'ffmpeg', ...TAGGED },
  'ffmpeg-animated-plain.png': { encoder: 'ffmpeg', ...FRAMES, ...PLAIN },
  'imagemagick-everything.png': {
    encoder: 'ImageMagick',
    orientation: 6,
    hasProfile: true,
    ...TAGGED,
  },
  'imagemagick-palette-interlaced.png': { encoder: 'ImageMagick', orientation: 8, ...TAGGED },
  'imagemagick-plain.png': { encoder: 'ImageMagick', ...PLAIN },
  'netpbm-text-time.png': { encoder: 'Netpbm' },
  'pillow-animated.png': { ...PILLOW, ...FRAMES },
  'pngcrush-plain.png': { encoder: 'pngcrush', ...PLAIN },

  'ffmpeg-animated-plain.gif': { encoder: 'ffmpeg', ...FRAMES, ...PLAIN },
  'gifsicle-animated-comment.gif': { encoder: 'gifsicle', ...FRAMES },
  'imagemagick-xmp-comment.gif': { encoder: 'ImageMagick', hasGps: true },
  'netpbm-interlaced-plain.gif': { encoder: 'Netpbm', ...PLAIN },
  'pillow-animated.gif': { encoder: 'Pillow', ...FRAMES },

  'cwebp-alpha.webp': { encoder: 'libwebp', ...PLAIN },
  'cwebp-lossless-plain.webp': { encoder: 'libwebp', ...PLAIN },
  'cwebp-lossy-everything.webp': {
    encoder: 'libwebp',
    orientation: 6,
    hasProfile: true,
    ...TAGGED,
  },
  'ffmpeg-webpmux-everything.webp': { encoder: 'ffmpeg', orientation: 4, ...TAGGED },
  'gif2webp-animated-plain.webp': { encoder: 'libwebp', ...FRAMES, ...PLAIN },
  'pillow-animated.webp': { ...PILLOW, ...FRAMES },
  'pillow.webp': { orientation: 5, hasProfile: true, ...PILLOW },

  'avifenc-alpha-plain.avif': { encoder: 'libavif, libaom', ...PLAIN },
  'avifenc-everything.avif': { encoder: 'libavif, libaom', hasProfile: true, ...TAGGED },
  'avifenc-grid.avif': { encoder: 'libavif, libaom', ...TAGGED, width: 256, height: 128 },
  'avifenc-xmp-appended.avif': { encoder: 'libavif, libaom, ExifTool', ...TAGGED },
  'ffmpeg-exiftool.avif': { encoder: 'ffmpeg, ExifTool', ...TAGGED },
  'ffmpeg-plain.avif': { encoder: 'ffmpeg, libaom', ...PLAIN },
  'heif-enc-everything.avif': { encoder: 'libheif, libaom', hasProfile: true, ...TAGGED },
  'pillow.avif': { hasProfile: true, ...PILLOW },

  'heif-enc-alpha.heic': { encoder: 'libheif, x265', ...TAGGED },
  'heif-enc-plain.heic': { encoder: 'libheif, x265', ...PLAIN },
  'heif-enc-thumbnail-everything.heic': {
    encoder: 'libheif, x265',
    hasProfile: true,
    ...TAGGED,
  },
  'imagemagick-exiftool.heic': { encoder: 'ImageMagick, ExifTool', ...TAGGED },
  'x265-phone-grid.heic': {
    encoder: 'x265, boxes as phones lay them out',
    hasProfile: true,
    ...TAGGED,
    width: 256,
    height: 128,
  },
  'x265-phone-motion.heic': {
    encoder: 'x265, boxes as phones lay them out',
    hasProfile: true,
    ...TAGGED,
    width: 256,
    height: 128,
    trailingBytes: 2879,
  },
}

const TYPES: Readonly<Record<string, PhotoContentType>> = {
  jpg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  heic: 'image/heic',
}

/** Photos that are accepted, from at least three encoders per format; FIXTURES.md says how they were made. */
export const photos: readonly Photo[] = Object.entries(FILES).map(([name, row]) => ({
  name,
  file: fileURLToPath(new URL(`fixtures/${name}`, import.meta.url)),
  contentType: TYPES[name.split('.').at(-1) ?? ''] ?? 'image/jpeg',
  encoder: 'unknown',
  ...BASE,
  ...row,
}))

/** Photos with something behind them that is no photo: `imageBytes` of them are stored. */
export const polyglots: readonly {
  readonly name: string
  readonly bytes: () => Buffer
  readonly imageBytes: number
  readonly contentType: PhotoContentType
}[] = [
  polyglot('a JPEG with a ZIP behind it', 'image/jpeg', jpeg(Buffer.alloc(8)), 'PK\x03\x04photo'),
  polyglot(
    'a JPEG with a JPEG behind it',
    'image/jpeg',
    jpeg(Buffer.alloc(8)),
    jpeg(Buffer.alloc(9)),
  ),
  polyglot('a PNG with a page behind it', 'image/png', png(), '<script>alert(1)</script>'),
  polyglot('a PNG with the rest of a larger one behind it', 'image/png', png(), png().subarray(40)),
  polyglot(
    'a GIF with a script behind it',
    'image/gif',
    gif(extension(0xf9, '\0\0\0\0')),
    '/*'.repeat(9),
  ),
]

function polyglot(
  name: string,
  contentType: PhotoContentType,
  image: Buffer,
  behind: Buffer | string,
): (typeof polyglots)[number] {
  const bytes = (): Buffer => Buffer.concat([image, Buffer.from(behind)])
  return { name, bytes, imageBytes: image.length, contentType }
}
