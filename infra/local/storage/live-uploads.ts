import type { IncomingMessage } from 'node:http'
import { Hashes } from './file-sink.ts'

/** More open sessions than this lose their checksums in memory and are read again when needed. */
const MAX_REMEMBERED = 256

/** Resumable sessions while requests work on them: one request at a time, the newest wins. */
export class LiveUploads {
  readonly #running = new Map<string, { stop(): void; done: Promise<void> }>()
  readonly #hashes = new Map<string, Hashes>()

  isRunning(id: string): boolean {
    return this.#running.has(id)
  }

  /**
   * Runs `work` alone on its session. A client that lost its connection comes back before this
   * server has noticed; so an earlier request that still waits for bytes is cut off.
   */
  async alone(id: string, req: IncomingMessage, work: () => Promise<void>): Promise<void> {
    const before = this.#running.get(id)
    const { promise: done, resolve } = Promise.withResolvers<void>()
    const stop = () => {
      if (!req.complete) req.destroy()
    }
    const mine = { stop, done }
    this.#running.set(id, mine)
    before?.stop()
    await before?.done
    try {
      await work()
    } finally {
      resolve()
      if (this.#running.get(id) === mine) this.#running.delete(id)
    }
  }

  /** The checksums of the `stored` bytes of a session, from memory or from its file. */
  async hashes(id: string, path: string, stored: number): Promise<Hashes> {
    const known = this.#hashes.get(id)
    const hashes = known?.size === stored ? known : await readHashes(path, stored)
    this.#hashes.delete(id)
    this.#hashes.set(id, hashes)
    const oldest = this.#hashes.keys().next().value
    if (this.#hashes.size > MAX_REMEMBERED && oldest !== undefined) this.#hashes.delete(oldest)
    return hashes
  }

  /** The session is over, or its file is no longer what the checksums saw. */
  forget(id: string): void {
    this.#hashes.delete(id)
  }
}

const readHashes = async (path: string, stored: number) =>
  stored === 0 ? new Hashes() : Hashes.ofFile(path)
