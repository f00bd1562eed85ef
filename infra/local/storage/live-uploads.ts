import type { IncomingMessage } from 'node:http'

/** Resumable sessions while requests work on them: one request at a time, the newest wins. */
export class LiveUploads {
  readonly #running = new Map<string, { stop(): void; done: Promise<void> }>()

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
}
