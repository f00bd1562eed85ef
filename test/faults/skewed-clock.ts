/** Preloaded into an instance: its wall clock is `CLOCK_SKEW_MS` off, its timers are not. */
const skew = Number(process.env['CLOCK_SKEW_MS'] ?? '0')
const RealDate = Date
const now = RealDate.now.bind(RealDate)

class SkewedDate extends RealDate {
  constructor(...given: [] | [value: number | string | Date]) {
    if (given.length === 0) super(now() + skew)
    else super(given[0])
  }

  static override now(): number {
    return now() + skew
  }
}
Object.assign(globalThis, { Date: SkewedDate })

export {}
