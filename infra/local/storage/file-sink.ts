import { closeSync, fdatasync, fsync, open, writev, writevSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Hasher } from './hasher.ts'
import { type Digest, Hashes } from './hashes.ts'

/**
 * Bytes are written in batches of this size. What is smaller as a whole is written and hashed in
 * one go when it ends: handing it to other threads would cost more than the work itself.
 */
const BATCH_BYTES = 256 * 1024
/** Above this many bytes in memory the sender has to wait: flat memory at any upload size. */
const HIGH_WATER_BYTES = 2 * 1024 * 1024
/** The disk works on a large file while the rest still arrives, so the last sync is short. */
const SYNC_EVERY_BYTES = 2 * 1024 * 1024

const syncFile = promisify(fsync)

/** Appends to a file; at the end gives the checksums of all of it. */
export class FileSink {
  /** Bytes in the file when all that was handed over is written. */
  size: number
  #onRoom: () => void = () => undefined
  #onError: (error: unknown) => void = () => undefined
  readonly #path: string
  readonly #hasher: Hasher
  /** Opened on another thread: creating a file waits for the journal while others are synced. */
  #descriptor: number | undefined
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #position: number
  #unsyncedBytes = 0
  /** Operations under way on other threads; the first is the opening. */
  #busy = 1
  #writing = false
  #syncing = false
  #closed = false
  #failure: { error: unknown } | undefined
  #onIdle: (() => void) | undefined

  /** Creates the file (a failure shows as a write error), or goes on behind the `stored` bytes of it. */
  constructor(path: string, hasher: Hasher, stored = 0) {
    this.#path = path
    this.#hasher = hasher
    this.#position = stored
    this.size = stored
    open(path, stored === 0 ? 'w' : 'r+', 0o600, (error, descriptor) => {
      if (error) this.#fail(error)
      else this.#descriptor = descriptor
      this.#pump()
      this.#settle()
    })
  }

  get full(): boolean {
    return this.#queuedBytes >= HIGH_WATER_BYTES
  }

  write(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#failure) return
    this.#queue.push(chunk)
    this.#queuedBytes += chunk.length
    this.size += chunk.length
    this.#pump()
  }

  /**
   * Tells from now on when there is room again after `full`, and once of the first write error, a
   * full disk for instance; at once where it has happened already.
   */
  watch(onRoom: () => void, onError: (error: unknown) => void): void {
    this.#onRoom = onRoom
    this.#onError = onError
    if (this.#failure) onError(this.#failure.error)
  }

  /** Waits until there is room again; rejects with a write error. */
  room(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.watch(resolve, reject)
    return promise
  }

  /** Waits for all bytes to be on the disk, and closes; rejects with the first write error. */
  async finish(): Promise<Digest> {
    await this.#idle()
    const digest = this.#flush()
    // Handled below, after the sync.
    digest.catch(() => undefined)
    try {
      if (!this.#failure) await syncFile(this.#opened())
    } finally {
      await this.close()
    }
    return digest
  }

  /** Closes behind what has arrived; the file stays. Rejects with a write error. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#idle()
    if (!this.#failure) this.#writeRest()
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    if (this.#failure) throw this.#failure.error
  }

  #opened(): number {
    if (this.#descriptor === undefined) throw new Error(`${this.#path} is not open`)
    return this.#descriptor
  }

  /** Writes the rest; the checksums come from memory where that was all, else from the thread. */
  #flush(): Promise<Digest> {
    const all = this.#queue
    const isAll = this.#position === 0
    if (!this.#failure) this.#writeRest()
    if (!isAll) return this.#hasher.digest(this.#path, this.size)
    const hashes = new Hashes()
    for (const chunk of all) hashes.update(chunk)
    return Promise.resolve(hashes.digest())
  }

  #writeRest(): void {
    try {
      while (this.#queue.length > 0) {
        const written = writevSync(this.#opened(), this.#queue, this.#position)
        this.#queue = withoutFirst(this.#queue, written)
        this.#position += written
      }
      this.#queuedBytes = 0
    } catch (error) {
      this.#fail(error)
    }
  }

  #pump(): void {
    const isReady = this.#descriptor !== undefined && !this.#writing && !this.#failure
    if (!isReady || this.#queuedBytes < BATCH_BYTES) return
    const chunks = this.#queue
    this.#queue = []
    this.#writing = true
    this.#busy++
    writev(this.#opened(), chunks, this.#position, (error, written) => {
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
    this.#hasher.advance(this.#path, this.#position)
    this.#syncEarly()
    this.#pump()
    if (wasFull && !this.full) this.#onRoom()
  }

  #syncEarly(): void {
    if (this.#syncing || this.#unsyncedBytes < SYNC_EVERY_BYTES) return
    this.#unsyncedBytes = 0
    this.#syncing = true
    this.#busy++
    fdatasync(this.#opened(), (error) => {
      this.#syncing = false
      if (error) this.#fail(error)
      this.#settle()
    })
  }

  #fail(error: unknown): void {
    if (this.#failure) return
    this.#failure = { error }
    this.#queue = []
    this.#queuedBytes = 0
    this.#onError(error)
  }

  #settle(): void {
    this.#busy--
    if (this.#busy === 0) this.#onIdle?.()
  }

  #idle(): Promise<void> {
    if (this.#busy === 0) return Promise.resolve()
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
