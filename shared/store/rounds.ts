import { ProblemError } from '../domain/problem.ts'

/** Rounds that a call may lose against others before it is given up with 503. */
const ROUNDS = 30
/** Longest pause after the first lost round; the n-th may take n times as long. */
const PAUSE_MS = 10

/**
 * Repeats a round of read and conditional commit for as long as it says `lost`, with growing pauses. Throws
 * `unavailable` under lasting contention.
 */
export async function untilWon<T>(round: () => Promise<T | 'lost'>): Promise<T> {
  for (let lost = 0; lost < ROUNDS; lost += 1) {
    const outcome = await round()
    if (outcome !== 'lost') return outcome
    await new Promise((resolve) => setTimeout(resolve, Math.random() * PAUSE_MS * (lost + 1)))
  }
  throw new ProblemError('unavailable', { retryAfterSeconds: 1 })
}
