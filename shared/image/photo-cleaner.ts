import { Transform, type TransformCallback } from 'node:stream'
import type { PhotoContentType } from '../domain/photo-type.ts'
import { ProblemError } from '../domain/problem.ts'
import { walkGif } from './gif.ts'
import { walkAvif, walkHeic } from './isobmff.ts'
import { walkJpeg } from './jpeg.ts'
import { PhotoBytes } from './photo-bytes.ts'
import type { FormatWalk, PhotoHeader, PhotoLimits, Walk } from './photo-walk.ts'
import { walkPng } from './png.ts'
import { sniff } from './sniff.ts'
import { walkWebp } from './webp.ts'

/** What the bytes of a photo say. */
export type PhotoFacts = {
  readonly contentType: PhotoContentType
  /** Pixels as stored, before the orientation is applied. */
  readonly width: number
  readonly height: number
  /** EXIF DateTimeOriginal; taken as UTC where the camera wrote no offset. */
  readonly takenAt?: Date | undefined
  /** Bytes after the end of the image, which were cut off. */
  readonly trailingBytes: number
}

const WALKS: Readonly<Record<PhotoContentType, FormatWalk>> = {
  'image/jpeg': walkJpeg,
  'image/png': walkPng,
  'image/gif': walkGif,
  'image/webp': walkWebp,
  'image/avif': walkAvif,
  'image/heic': walkHeic,
}

const MAX_FRAMES = 1000

/** Less than a chunk, so that the stream holds one and not two; with 32 uploads at once it shows. */
const STAGE_BYTES = 16 * 1024

/**
 * The photo as received in, the cleaned photo out (contract 6, security UP-05 to UP-09): one pass, memory
 * of a chunk and the metadata block at hand. What is kept leaves unchanged; a photo with nothing to remove
 * leaves as it came.
 *
 * Fails with `file_empty`, `unsupported_image_type`, `image_damaged` or `photo_too_many_pixels`. What left
 * before that is no photo; only the stream's end says that it is whole.
 */
export class PhotoCleaner extends Transform {
  readonly #bytes: PhotoBytes
  readonly #walk: Walk<PhotoHeader>
  #contentType: PhotoContentType | undefined
  #header: PhotoHeader | undefined
  #trailingBytes = 0

  /** `maxPixels` is width times height; `maxFrames` counts images of an animation, 1,000 by default. */
  constructor(limits: { readonly maxPixels: number; readonly maxFrames?: number }) {
    super({ highWaterMark: STAGE_BYTES })
    this.#bytes = new PhotoBytes((bytes) => this.push(bytes))
    this.#walk = this.#follow({ maxFrames: MAX_FRAMES, ...limits })
  }

  /**
   * The type as soon as the first bytes show it, long before the photo is whole. Rejects with what the
   * stream failed with, if that is earlier.
   */
  contentType(): Promise<PhotoContentType> {
    return new Promise((resolve, reject) => {
      if (this.#contentType !== undefined) return resolve(this.#contentType)
      const failed = (): void =>
        reject(this.errored ?? new ProblemError('image_damaged', { detail: 'The upload stopped.' }))
      if (this.destroyed) return failed()
      this.once('typed', resolve)
      this.once('close', failed)
    })
  }

  /** Complete once the stream ended without error; throws before. */
  get facts(): PhotoFacts {
    if (this.#contentType === undefined || this.#header === undefined) {
      throw new Error('The facts of a photo are known when its stream has ended.')
    }
    return {
      contentType: this.#contentType,
      width: this.#header.width,
      height: this.#header.height,
      takenAt: this.#header.takenAt,
      trailingBytes: this.#trailingBytes,
    }
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#header === undefined) {
      this.#bytes.arrive(chunk)
      this.#step(done)
    } else {
      this.#trailingBytes += chunk.length
      done()
    }
  }

  override _flush(done: TransformCallback): void {
    this.#bytes.end()
    if (this.#header === undefined) this.#step(done)
    else done()
  }

  #step(done: TransformCallback): void {
    try {
      const step = this.#walk.next()
      if (step.done === true) {
        this.#bytes.flush()
        this.#header = step.value
        this.#trailingBytes = this.#bytes.unread
      }
      done()
    } catch (error) {
      done(error instanceof Error ? error : new Error('A walk threw no error.', { cause: error }))
    }
  }

  *#follow(limits: PhotoLimits): Walk<PhotoHeader> {
    const contentType = yield* sniff(this.#bytes)
    this.#contentType = contentType
    this.emit('typed', contentType)
    return yield* WALKS[contentType](this.#bytes, limits)
  }
}
