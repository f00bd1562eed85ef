import { createHash } from 'node:crypto'
import { crc32c, encodeCrc32c } from './crc32c.ts'

/** Size in bytes and the two checksums as Cloud Storage writes them (base64). */
export type Digest = { size: number; md5: string; crc32c: string }

/** Both checksums of everything seen so far. */
export class Hashes {
  #md5 = createHash('md5')
  #crc = 0
  size = 0

  update(chunk: Uint8Array): void {
    this.#md5.update(chunk)
    this.#crc = crc32c(chunk, this.#crc)
    this.size += chunk.length
  }

  /** Ends it. */
  digest(): Digest {
    return { size: this.size, md5: this.#md5.digest('base64'), crc32c: encodeCrc32c(this.#crc) }
  }
}
