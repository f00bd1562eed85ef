/** Two kinds of calls, interleaved, so that what slows the machine slows both. */

const PAIRS = process.env['FULL'] === '1' ? 200 : 20
/** What else runs on the machine tilts a round now and then; a real difference tilts each. */
const ROUNDS = 5
export const MOST_PAIRS = ROUNDS * PAIRS
const LARGEST_DIFFERENCE = 0.1
const LEAST_P = 0.01

function median(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? Number.NaN
}

async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

export type Times = {
  /** Median of the first kind by that of the second. */
  readonly ratio: number
  /** Two-sided p of the Mann-Whitney test (normal approximation): small where one kind tends to be slower. */
  readonly p: number
}

/** Complementary error function (Abramowitz and Stegun 7.1.26), to 1.5e-7. */
function erfc(x: number): number {
  const t = 1 / (1 + 0.3275911 * x)
  const factors = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592]
  return factors.reduce((sum, factor) => (sum + factor) * t, 0) * Math.exp(-x * x)
}

function mannWhitney(first: readonly number[], second: readonly number[]): number {
  const wins = first.reduce((sum, one) => sum + second.filter((other) => one > other).length, 0)
  const pairs = first.length * second.length
  const deviation = Math.sqrt((pairs * (first.length + second.length + 1)) / 12)
  return erfc(Math.abs(wins - pairs / 2) / deviation / Math.SQRT2)
}

async function compareOnce(
  first: () => Promise<unknown>,
  second: () => Promise<unknown>,
): Promise<Times> {
  const [one, other]: [number[], number[]] = [[], []]
  for (let pair = 0; pair < PAIRS; pair += 1) {
    one.push(await millisecondsOf(first))
    other.push(await millisecondsOf(second))
  }
  return { ratio: median(one) / median(other), p: mannWhitney(one, other) }
}

/** The first round in which both take equally long, else the last. */
export async function compareTimes(
  first: () => Promise<unknown>,
  second: () => Promise<unknown>,
): Promise<Times> {
  let times = await compareOnce(first, second)
  for (let round = 1; round < ROUNDS; round += 1) {
    if (Math.abs(times.ratio - 1) < LARGEST_DIFFERENCE && times.p > LEAST_P) break
    times = await compareOnce(first, second)
  }
  return times
}
