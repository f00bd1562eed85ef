/** How a server stops: nothing new, what runs may finish, the rest is told 503 (OPS-03). */
import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProblemError } from '../domain/problem.ts'
import type { Exchange } from './exchange.ts'

/** Time for requests that run when the process shall end, milliseconds; a host kills after 10 s. */
export const DRAIN_MS = 8000
/** The same after an error that nobody caught (OPS-04). */
export const CRASH_DRAIN_MS = 2000
/** Time for the answers of what was aborted then. */
const LAST_WORDS_MS = 300

/** The requests of one server, from their head until their handler has ended. */
export class InFlight {
  readonly #running = new Map<Exchange, Promise<void>>()
  #ending = false

  get ending(): boolean {
    return this.#ending
  }

  add(exchange: Exchange, done: Promise<void>): void {
    const removed = done.finally(() => this.#running.delete(exchange))
    this.#running.set(exchange, removed)
  }

  /** Stops accepting, waits for what runs, aborts the rest; settles when no connection is left. */
  async drain(server: Server, milliseconds: number): Promise<void> {
    this.#ending = true
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    await this.#idle(milliseconds)
    for (const exchange of this.#running.keys()) exchange.abort(new ProblemError('unavailable'))
    await this.#idle(LAST_WORDS_MS)
    server.closeAllConnections()
    await closed
  }

  async #idle(milliseconds: number): Promise<void> {
    const cancel = new AbortController()
    const late = sleep(milliseconds, 'late' as const, { signal: cancel.signal }).catch(() => 'late')
    while (this.#running.size > 0) {
      const all = Promise.all(this.#running.values()).then(() => 'idle')
      if ((await Promise.race([all, late])) === 'late') break
    }
    cancel.abort()
  }
}
