import { createHash } from 'node:crypto'
import { Transform, type TransformCallback } from 'node:stream'
import type { ProblemError } from '../domain/problem.ts'

export type Received = {
  readonly bytes: number
  /** Lower-case hex. */
  readonly sha256: string
}

/** Less than a chunk, so that a stage holds one and not two; with 32 uploads at once it shows. */
const STAGE_BYTES = 16 * 1024

/** Passes bytes on and counts and hashes them; at their end `judge` may refuse them. */
export class ReceivedBytes extends Transform {
  readonly #hash = createHash('sha256')
  readonly #judge: (received: Received) => ProblemError | undefined
  #bytes = 0
  #received: Received | undefined

  constructor(judge: (received: Received) => ProblemError | undefined = () => undefined) {
    super({ highWaterMark: STAGE_BYTES })
    this.#judge = judge
  }

  /** Known once the bytes have ended; throws before. */
  get received(): Received {
    if (this.#received === undefined) throw new Error('what is received is known at its end')
    return this.#received
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.length
    this.#hash.update(chunk)
    done(null, chunk)
  }

  override _flush(done: TransformCallback): void {
    this.#received = { bytes: this.#bytes, sha256: this.#hash.digest('hex') }
    done(this.#judge(this.#received) ?? null)
  }
}
