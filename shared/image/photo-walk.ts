import { ProblemError } from '../domain/problem.ts'
import type { PhotoBytes } from './photo-bytes.ts'

/** A walk over the bytes of a photo: it yields where it needs more than has arrived. */
export type Walk<Result> = Generator<undefined, Result, undefined>

export type PhotoLimits = {
  /** Width times height, of the photo and of each frame in it. */
  readonly maxPixels: number
  /** Images in an animation. */
  readonly maxFrames: number
}

/** What a format's own header says. */
export type PhotoHeader = {
  /** Pixels as stored, before any rotation. */
  readonly width: number
  readonly height: number
  /** EXIF DateTimeOriginal. */
  readonly takenAt?: Date | undefined
}

/** Follows one format from its first byte to its end, keeps or drops each byte, returns what it saw. */
export type FormatWalk = (photo: PhotoBytes, limits: PhotoLimits) => Walk<PhotoHeader>

/** Structures (segments, chunks, blocks, boxes, items) in one photo; security UP-06. */
const MAX_SEGMENTS = 10_000

/** Width or height; what JPEG can say at most (security UP-07). */
const MAX_SIDE = 65_535

export function damaged(detail: string): ProblemError {
  return new ProblemError('image_damaged', { detail })
}

/** Throws `photo_too_many_pixels` unless both sides are 1 to 65,535 and the area is within the limit. */
export function checkDimensions(width: number, height: number, limits: PhotoLimits): void {
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE) {
    throw new ProblemError('photo_too_many_pixels', {
      detail: `Width and height must be 1 to ${MAX_SIDE} pixels.`,
    })
  }
  if (width * height > limits.maxPixels) {
    throw new ProblemError('photo_too_many_pixels', {
      detail: `A photo may have at most ${limits.maxPixels} pixels.`,
    })
  }
}

/** Counts the structures of one photo; throws `image_damaged` past 10,000. */
export class SegmentCount {
  #seen = 0

  add(count = 1): void {
    this.#seen += count
    if (this.#seen > MAX_SEGMENTS) throw damaged('The file has too many segments.')
  }
}

/** Counts the frames of one animation; throws `photo_too_many_pixels` past the limit. */
export class FrameCount {
  #seen = 0
  readonly #limits: PhotoLimits

  constructor(limits: PhotoLimits) {
    this.#limits = limits
  }

  get seen(): number {
    return this.#seen
  }

  add(count = 1): void {
    this.#seen += count
    if (this.#seen > this.#limits.maxFrames) {
      throw new ProblemError('photo_too_many_pixels', {
        detail: `A photo may have at most ${this.#limits.maxFrames} frames.`,
      })
    }
  }
}
