/** Chance that can be had again: the same seed, the same draws. */
export type Chance = {
  /** From 0 up to, not including, 1. */
  next(): number
  /** A whole number from `from` up to, not including, `to`. */
  between(from: number, to: number): number
  one<T>(of: readonly [T, ...T[]]): T
  /** True so often. */
  happens(share: number): boolean
}

/** Mulberry32. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const between = (from: number, to: number) => from + Math.floor(next() * (to - from))
  return {
    next,
    between,
    one: (of) => of[between(0, of.length)] ?? of[0],
    happens: (share) => next() < share,
  }
}
