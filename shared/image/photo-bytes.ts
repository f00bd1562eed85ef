import type { Walk } from './photo-walk.ts'
import { damaged } from './photo-walk.ts'

/**
 * The bytes of one photo on their way through a format's walk.
 *
 *   held:  | kept, not yet out |  unread  |      arrived: the chunk after it, or nothing
 *          ^ keptFrom          ^ at
 *
 * Passed bytes leave as slices of the chunks they came in, joined as long as nothing is removed
 * between them. Only a `peek` across two chunks copies; the walk goes on in the second one as soon as it
 * has left the first. So memory is one chunk and one peek.
 */
export class PhotoBytes {
  #held: Buffer = Buffer.alloc(0)
  #at = 0
  #keptFrom = 0
  #before = 0
  #arrived: Buffer | undefined
  /** Where `held` was gathered: the last chunk in it, and where in `held` that begins. */
  #joined: { readonly chunk: Buffer; readonly seam: number } | undefined
  #ended = false
  readonly #out: (bytes: Buffer) => void

  /** `out` takes the cleaned bytes in order; it may keep the buffers, they are not written to again. */
  constructor(out: (bytes: Buffer) => void) {
    this.#out = out
  }

  /** Hands over the next chunk; only while the walk waits. */
  arrive(chunk: Buffer): void {
    this.#arrived = chunk.length > 0 ? chunk : undefined
  }

  /** Nothing arrives any more: a walk that waits for bytes fails. */
  end(): void {
    this.#ended = true
  }

  /** Offset of the next unread byte in the file as received. */
  get position(): number {
    return this.#before + this.#at
  }

  /** Bytes that have arrived and that the walk has not read. */
  get unread(): number {
    const { chunk, seam } = this.#joined ?? { chunk: this.#held, seam: 0 }
    return chunk.length - (this.#at - seam) + (this.#arrived?.length ?? 0)
  }

  /** The next `count` bytes without reading them. The caller bounds `count`: they are held at once. */
  *peek(count: number): Walk<Buffer> {
    this.#rejoin()
    if (this.#held.length - this.#at < count) yield* this.#gather(count)
    return this.#held.subarray(this.#at, this.#at + count)
  }

  /** Everything unread in the current chunk, at least one byte. */
  *peekChunk(): Walk<Buffer> {
    this.#rejoin()
    if (this.#at === this.#held.length) yield* this.#next()
    return this.#held.subarray(this.#at)
  }

  /** The next `count` bytes, fewer only where the file ends. */
  *peekAtMost(count: number): Walk<Buffer> {
    while (this.unread < count && !this.#ended) {
      if (this.#arrived !== undefined) yield* this.#gather(this.unread)
      yield undefined
    }
    return yield* this.peek(Math.min(count, this.unread))
  }

  /** Reads `count` bytes into the result, showing each piece to `see`. */
  *pass(count: number, see?: (bytes: Buffer) => void): Walk<void> {
    let left = count
    while (left > 0) {
      this.#rejoin()
      if (this.#at === this.#held.length) yield* this.#next()
      const to = Math.min(this.#held.length, this.#at + left)
      see?.(this.#held.subarray(this.#at, to))
      left -= to - this.#at
      this.#at = to
    }
  }

  /** Reads `count` bytes and leaves them out, showing each piece to `see`. */
  *drop(count: number, see?: (bytes: Buffer) => void): Walk<void> {
    this.flush()
    let left = count
    while (left > 0) {
      this.#rejoin()
      if (this.#at === this.#held.length) yield* this.#next()
      const to = Math.min(this.#held.length, this.#at + left)
      see?.(this.#held.subarray(this.#at, to))
      left -= to - this.#at
      this.#at = to
      this.#keptFrom = to
    }
  }

  /** Reads `count` bytes and writes as many zeros in their place, as they arrive. */
  *blank(count: number): Walk<void> {
    yield* this.drop(count, (bytes) => this.#out(zeros(bytes.length)))
  }

  /** Writes bytes of our own at this place. */
  insert(bytes: Buffer): void {
    this.flush()
    if (bytes.length > 0) this.#out(bytes)
  }

  /** Hands over what was passed so far. */
  flush(): void {
    if (this.#keptFrom < this.#at) this.#out(this.#held.subarray(this.#keptFrom, this.#at))
    this.#keptFrom = this.#at
  }

  /** Replaces the held bytes by a copy of the next `count`, which span two chunks or more. */
  *#gather(count: number): Walk<void> {
    const gathered = Buffer.allocUnsafe(count)
    const position = this.position
    let filled = this.#held.copy(gathered, 0, this.#at, this.#joined?.seam)
    let last = this.#joined?.chunk
    this.flush()
    for (;;) {
      const chunk = last ?? (yield* this.#take())
      const seam = filled
      filled += chunk.copy(gathered, seam)
      if (filled < count) {
        last = undefined
        continue
      }
      this.#hold(gathered, position)
      this.#joined = { chunk, seam }
      return
    }
  }

  /** Goes on in the chunk itself where everything before it in the gathered bytes is read. */
  #rejoin(): void {
    const joined = this.#joined
    if (joined === undefined || this.#at < joined.seam) return
    this.flush()
    const at = this.#at - joined.seam
    this.#hold(joined.chunk, this.#before + joined.seam)
    this.#at = at
    this.#keptFrom = at
  }

  *#next(): Walk<void> {
    this.flush()
    const position = this.position
    this.#hold(yield* this.#take(), position)
  }

  #hold(bytes: Buffer, position: number): void {
    this.#held = bytes
    this.#at = 0
    this.#keptFrom = 0
    this.#before = position
    this.#joined = undefined
  }

  *#take(): Walk<Buffer> {
    let chunk = this.#arrived
    while (chunk === undefined) {
      if (this.#ended) throw damaged('The file ends before the image does.')
      yield undefined
      chunk = this.#arrived
    }
    this.#arrived = undefined
    return chunk
  }
}

const ZEROS = Buffer.alloc(65_536)

function zeros(count: number): Buffer {
  return count <= ZEROS.length ? ZEROS.subarray(0, count) : Buffer.alloc(count)
}
