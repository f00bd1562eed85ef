import { ProblemError } from '../domain/problem.ts'

export type SemaphoreLimits = {
  /** How many run at once. */
  readonly running: number
  /** How many wait besides. */
  readonly waiting: number
  readonly waitMs: number
}

/** Runs work a few at a time; what would wait too long, or behind too many, is `unavailable` (PW-05). */
export type Semaphore = {
  run<T>(work: () => Promise<T>): Promise<T>
  /** Throws `unavailable` where `run` would throw it at once. */
  demandRoom(): void
}

export function openSemaphore(limits: SemaphoreLimits): Semaphore {
  let running = 0
  const queue: (() => void)[] = []

  function demandRoom(): void {
    if (running >= limits.running && queue.length >= limits.waiting) throw busy()
  }
  async function enter(): Promise<void> {
    if (running < limits.running) {
      running += 1
      return
    }
    demandRoom()
    const turn = Promise.withResolvers<void>()
    queue.push(turn.resolve)
    const timer = setTimeout(() => {
      queue.splice(queue.indexOf(turn.resolve), 1)
      turn.reject(busy())
    }, limits.waitMs)
    await turn.promise.finally(() => clearTimeout(timer))
  }
  /** The place goes to the next in line, if there is one. */
  function leave(): void {
    const next = queue.shift()
    if (next === undefined) running -= 1
    else next()
  }
  return {
    demandRoom,
    run: async (work) => {
      await enter()
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}

function busy(): ProblemError {
  return new ProblemError('unavailable', { retryAfterSeconds: 1 })
}
