import { createHash } from 'node:crypto'
import { close, createReadStream, fdatasync, fsync, open, writev } from 'node:fs'
import { promisify } from 'node:util'
import { crc32c, encodeCrc32c } from './crc32c.ts'

/** Size in bytes and the two checksums as Cloud Storage writes them (base64). */
export type Digest = { size: number; md5: string; crc32c: string }

/** Both checksums of everything seen so far; asking for them does not end them. */
export class Hashes {
  #md5 = createHash('md5')
  #crc = 0
  size = 0

  update(chunk: Uint8Array): void {
    this.#md5.update(chunk)
    this.#crc = crc32c(chunk, this.#crc)
    this.size += chunk.length
  }

  digest(): Digest {
    const md5 = this.#md5.copy().digest('base64')
    return { size: this.size, md5, crc32c: encodeCrc32c(this.#crc) }
  }

  /** The checksums of a file that an earlier process wrote. */
  static async ofFile(path: string): Promise<Hashes> {
    const hashes = new Hashes()
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      hashes.update(chunk)
    }
    return hashes
  }
}

/** Above this many bytes in memory the sender has to wait: flat memory at any upload size. */
const HIGH_WATER_BYTES = 2 * 1024 * 1024
/** The disk starts on a large file while the rest still arrives, so the last sync is short. */
const SYNC_EVERY_BYTES = 8 * 1024 * 1024

const openFile = promisify(open)
const closeFile = promisify(close)
const syncFile = promisify(fsync)

/** Appends to a file and hashes on the way; at most 2 MiB wait in memory. */
export class FileSink {
  readonly hashes: Hashes
  /** Called when there is room again after `full`. */
  onRoom: () => void = () => undefined
  /** Called once with the first write error, a full disk for instance. */
  onError: (error: Error) => void = () => undefined
  readonly #descriptor: number
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #position: number
  #unsyncedBytes = 0
  #writing = false
  #syncing = false
  #error: Error | undefined
  #closed = false
  #onIdle: (() => void) | undefined

  private constructor(descriptor: number, hashes: Hashes) {
    this.#descriptor = descriptor
    this.hashes = hashes
    this.#position = hashes.size
  }

  /** Creates the file, or goes on behind the bytes that `hashes` have seen. */
  static async open(path: string, hashes = new Hashes()): Promise<FileSink> {
    return new FileSink(await openFile(path, hashes.size === 0 ? 'w' : 'r+', 0o600), hashes)
  }

  get full(): boolean {
    return this.#queuedBytes >= HIGH_WATER_BYTES
  }

  write(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.hashes.update(chunk)
    this.#queue.push(chunk)
    this.#queuedBytes += chunk.length
    this.#pump()
  }

  /** Waits until there is room again; rejects with a write error. */
  room(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.onRoom = resolve
    this.onError = reject
    return promise
  }

  /** Waits for all bytes to be on the disk, and closes; rejects with the first write error. */
  async finish(): Promise<Digest> {
    await this.#idle()
    try {
      if (!this.#error) await syncFile(this.#descriptor)
    } finally {
      await this.close()
    }
    return this.hashes.digest()
  }

  /** Closes behind what has arrived; the file stays as it is. Rejects with a write error. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#idle()
    await closeFile(this.#descriptor)
    if (this.#error) throw this.#error
  }

  #pump(): void {
    if (this.#writing || this.#error || this.#queue.length === 0) return
    const chunks = this.#queue
    this.#queue = []
    this.#writing = true
    writev(this.#descriptor, chunks, this.#position, (error, written) => {
      this.#writing = false
      if (error) this.#fail(error)
      else this.#advance(chunks, written)
      this.#settle()
    })
  }

  #advance(chunks: Uint8Array[], written: number): void {
    const wasFull = this.full
    this.#position += written
    this.#queuedBytes -= written
    this.#unsyncedBytes += written
    this.#queue.unshift(...withoutFirst(chunks, written))
    this.#syncEarly()
    this.#pump()
    if (wasFull && !this.full) this.onRoom()
  }

  #syncEarly(): void {
    if (this.#syncing || this.#unsyncedBytes < SYNC_EVERY_BYTES) return
    this.#unsyncedBytes = 0
    this.#syncing = true
    fdatasync(this.#descriptor, (error) => {
      this.#syncing = false
      if (error) this.#fail(error)
      this.#settle()
    })
  }

  #fail(error: Error): void {
    if (this.#error) return
    this.#error = error
    this.#queue = []
    this.#queuedBytes = 0
    this.onError(error)
  }

  #settle(): void {
    if (!this.#writing && !this.#syncing) this.#onIdle?.()
  }

  #idle(): Promise<void> {
    if (!this.#writing && !this.#syncing) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }
}

/** What a partial write left of its buffers. */
function withoutFirst(chunks: Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes
  const rest: Uint8Array[] = []
  for (const chunk of chunks) {
    if (skip < chunk.length) rest.push(chunk.subarray(skip))
    skip = Math.max(0, skip - chunk.length)
  }
  return rest
}
