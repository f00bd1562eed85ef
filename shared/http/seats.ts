/** How many requests of one function a process serves at once; who finds no seat is told so before anything is read. */
import { ProblemError } from '../domain/problem.ts'

/** More than any function's concurrency (`infra/manifest.ts`), so that only the one local process ever refuses here. */
export const SEATS = 128
const RETRY_SECONDS = 1

export class Seats {
  readonly #taken = new Map<string, number>()

  /** Takes a seat of this function and gives it back when the function returned is called; throws `unavailable`. */
  take(functionName: string): () => void {
    const taken = this.#taken.get(functionName) ?? 0
    if (taken >= SEATS) {
      throw new ProblemError('unavailable', { retryAfterSeconds: RETRY_SECONDS })
    }
    this.#taken.set(functionName, taken + 1)
    return () => this.#taken.set(functionName, (this.#taken.get(functionName) ?? 1) - 1)
  }
}
