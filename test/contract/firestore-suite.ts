import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Check, clientsOf } from './firestore-check.ts'
import { contentionChecks } from './firestore-contention.ts'
import { documentChecks } from './firestore-documents.ts'
import { orderingChecks } from './firestore-ordering.ts'
import { queryChecks } from './firestore-queries.ts'
import type { Target } from './firestore-target.ts'
import { transactionChecks } from './firestore-transactions.ts'
import { valueChecks } from './firestore-values.ts'
import { writeChecks } from './firestore-writes.ts'

export const allChecks: readonly Check[] = [
  ...transactionChecks,
  ...contentionChecks,
  ...documentChecks,
  ...valueChecks,
  ...writeChecks,
  ...queryChecks,
  ...orderingChecks,
]

/** Starts the checks a few at a time, in order, and hands out the outcome of each. */
function start(
  target: Target,
  parallel: number,
): { outcomes: Map<Check, Promise<void>>; end(): Promise<void> } {
  const clients = clientsOf(target)
  const waiting = allChecks.map((check) => ({ check, ...Promise.withResolvers<void>() }))
  const outcomes = new Map(waiting.map(({ check, promise }) => [check, promise]))
  for (const { promise } of waiting) promise.catch(() => undefined)
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { check, resolve, reject } = next
      await check.run(clients.place()).then(resolve, reject)
    }
  }
  const workers = Promise.all(Array.from({ length: parallel }, work))
  const end = async () => {
    await workers
    await clients.close()
  }
  return { outcomes, end }
}

/** Registers every row of the matrix as a test on the target; the rows run beside each other. */
export function contract(
  name: string,
  open: () => Promise<Target>,
  { parallel, timeout }: { parallel: number; timeout: number },
): void {
  describe(name, () => {
    let outcomes = new Map<Check, Promise<void>>()
    let close: () => Promise<void> = async () => undefined

    beforeAll(async () => {
      const target = await open()
      const running = start(target, parallel)
      outcomes = running.outcomes
      close = async () => {
        await running.end()
        await target.close()
      }
    }, 60_000)

    afterAll(() => close(), 60_000)

    test.for(allChecks.map((check) => ({ ...check, check })))(
      '$id $it',
      { timeout },
      async ({ check }) => {
        await expect(outcomes.get(check)).resolves.toBeUndefined()
      },
    )
  })
}
