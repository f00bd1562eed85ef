import type { PhotoContentType } from '../domain/photo-type.ts'
import { ProblemError } from '../domain/problem.ts'
import type { PhotoBytes } from './photo-bytes.ts'
import type { Walk } from './photo-walk.ts'

const PNG_SIGNATURE = '\x89PNG\r\n\x1a\n'

/** Bytes that tell every format but ISO-BMFF from everything else. */
const MAGIC_BYTES = 12

/** Longest `ftyp` box: 1,000 compatible brands. */
export const MAX_FTYP_BYTES = 4096

/**
 * Says what the photo's first bytes are, and leaves them unread (security UP-05).
 * Throws `file_empty`, or `unsupported_image_type` for anything but the six formats.
 */
export function* sniff(photo: PhotoBytes): Walk<PhotoContentType> {
  const magic = yield* photo.peekAtMost(MAGIC_BYTES)
  if (magic.length === 0) throw new ProblemError('file_empty')
  const head = magic.toString('latin1')
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (head.startsWith(PNG_SIGNATURE)) return 'image/png'
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'image/gif'
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'image/webp'
  if (head.slice(4, 8) === 'ftyp' && magic.length === MAGIC_BYTES) {
    const size = magic.readUInt32BE(0)
    const ftyp = yield* photo.peekAtMost(Math.min(Math.max(size, MAGIC_BYTES), MAX_FTYP_BYTES))
    return typeOfBrands(ftyp)
  }
  throw unsupported()
}

function unsupported(): ProblemError {
  return new ProblemError('unsupported_image_type', {
    detail: 'A photo must be JPEG, PNG, GIF, WebP, AVIF or HEIC.',
  })
}

/** For AVIF and HEIC that hold films: what would have to be removed from their tracks is not looked at. */
export function sequenceRefused(): ProblemError {
  return new ProblemError('unsupported_image_type', {
    detail: 'AVIF and HEIC are accepted as still images only.',
  })
}

/** Major brands of files whose first meaning is a still image (ISO 23008-12 B.4, AV1-ISOBMFF). */
const STILL_BRANDS = /^(avif|heic|heix|heim|heis|mif1|mif2|miaf)$/
const SEQUENCE_BRANDS = /^(avis|hevc|hevx|hevm|hevs|msf1)$/
const AVIF_BRANDS = /^avif$/
const HEIC_BRANDS = /^(heic|heix|heim|heis)$/

/**
 * `ftyp`: size, "ftyp", major brand, minor version, compatible brands. A file with `mif1` in front says
 * by a compatible brand how its images are coded.
 */
function typeOfBrands(ftyp: Buffer): PhotoContentType {
  const major = ftyp.toString('latin1', 8, 12)
  if (SEQUENCE_BRANDS.test(major)) throw sequenceRefused()
  if (!STILL_BRANDS.test(major)) throw unsupported()
  const brands = [major]
  for (let at = 16; at + 4 <= ftyp.length; at += 4) brands.push(ftyp.toString('latin1', at, at + 4))
  for (const brand of brands) {
    if (AVIF_BRANDS.test(brand)) return 'image/avif'
    if (HEIC_BRANDS.test(brand)) return 'image/heic'
  }
  throw unsupported()
}
