/** How long one waits for those before: a slow store must not add up. */
const LONGEST_WAIT_MS = 1_000

const last = new Map<string, Promise<unknown>>()

/**
 * Runs the works of one key one after another within this process, so that they do not lose races against each
 * other. It saves attempts and decides nothing: after a second the work goes ahead, as in another process.
 */
export async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = last.get(key)
  const mine = waitFor(before).then(work)
  const settled = mine.catch(() => undefined)
  last.set(key, settled)
  try {
    return await mine
  } finally {
    if (last.get(key) === settled) last.delete(key)
  }
}

async function waitFor(before: Promise<unknown> | undefined): Promise<void> {
  if (before === undefined) return
  const { promise: waited, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, LONGEST_WAIT_MS)
  await Promise.race([before, waited])
  clearTimeout(timer)
}
