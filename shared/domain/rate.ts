/** A limit as it is configured and shown: `5/minute`, `10/15minutes`, several joined by `;` (contract 1). */
export type Rate = {
  readonly count: number
  /** Length of the window, seconds. */
  readonly windowSeconds: number
}

const UNIT_SECONDS: ReadonlyMap<string, number> = new Map([
  ['second', 1],
  ['minute', 60],
  ['hour', 3600],
  ['day', 86_400],
])
const FORM = /^(\d{1,6})\/(\d{1,4})?(second|minute|hour|day)s?$/
const MAX_COUNT = 100_000
const MAX_WINDOW_SECONDS = 30 * 86_400

function parseRate(text: string): Rate | undefined {
  const [, count, amount, unit] = FORM.exec(text.trim()) ?? []
  const seconds = UNIT_SECONDS.get(unit ?? '')
  if (count === undefined || seconds === undefined) return undefined
  const rate = { count: Number(count), windowSeconds: Number(amount ?? '1') * seconds }
  const inBounds = rate.count >= 1 && rate.count <= MAX_COUNT && rate.windowSeconds >= 1
  return inBounds && rate.windowSeconds <= MAX_WINDOW_SECONDS ? rate : undefined
}

/** The rates of `5/minute;100/hour`, or undefined where the text has not that form or a count is not 1 to 100,000. */
export function parseRates(text: string): readonly Rate[] | undefined {
  const rates = text.split(';').map(parseRate)
  const known = rates.filter((rate) => rate !== undefined)
  return known.length === rates.length && known.length <= 4 ? known : undefined
}

function windowInWords(seconds: number): string {
  const [unit, size] = [...UNIT_SECONDS].findLast(([, length]) => seconds % length === 0) ?? [
    'second',
    1,
  ]
  const amount = seconds / size
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`
}

/** `5 per 1 minute`, the form of a 429's `detail` (contract 3). */
export function inWords(rate: Rate): string {
  return `${rate.count} per ${windowInWords(rate.windowSeconds)}`
}

/** `5/minute`, the form that `parseRates` reads: parse and print are inverse. */
export function printRates(rates: readonly Rate[]): string {
  return rates
    .map((rate) => {
      const [amount, unit] = windowInWords(rate.windowSeconds).split(' ')
      return amount === '1' ? `${rate.count}/${unit}` : `${rate.count}/${amount}${unit}`
    })
    .join(';')
}
