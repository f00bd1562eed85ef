import { StorageError } from './errors.ts'

/** Smallest and largest size, bytes, both included. */
export type LengthRange = [number, number]

/** Parses `x-goog-content-length-range: 0,1000`; else 400. */
export function parseLengthRange(source: string): LengthRange {
  const found = /^\s*(\d{1,15})\s*,\s*(\d{1,15})\s*$/.exec(source)
  const range: LengthRange = [Number(found?.[1]), Number(found?.[2])]
  if (!found || range[0] > range[1]) {
    throw new StorageError('invalid', 'x-goog-content-length-range must be two sizes, a,b.')
  }
  return range
}

/** 400 `EntityTooLarge` or `EntityTooSmall` where the size is outside. */
export function checkLength(bytes: number, [least, most]: LengthRange): void {
  if (bytes > most) {
    throw new StorageError('entityTooLarge', `The content is larger than ${most} bytes.`)
  }
  if (bytes < least) {
    throw new StorageError('entityTooSmall', `The content is smaller than ${least} bytes.`)
  }
}
