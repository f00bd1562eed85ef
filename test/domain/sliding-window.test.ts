import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Rate } from '../../shared/domain/rate.ts'
import {
  decodeHits,
  encodeHits,
  MARKS,
  openAdmission,
  type WindowVerdict,
} from '../../shared/domain/sliding-window.ts'

const FIVE_A_MINUTE = [{ count: 5, windowSeconds: 60 }]
const START_MS = Date.UTC(2026, 10, 24)

type Window = (atMs: number) => WindowVerdict

/** A log that keeps what it is told to store; each call is a request of its own. */
function openWindow(rates: readonly Rate[]): Window {
  let stored: Uint8Array | undefined
  let calls = 0
  return (atMs) => {
    calls += 1
    const verdict = openAdmission(calls).decide(stored, rates, atMs)
    stored = verdict.hits
    return verdict
  }
}

/** The rule in its plainest form: all admissions ever, counted anew for each request. */
function openModel(rates: readonly Rate[]) {
  const admitted: number[] = []
  return (atMs: number): boolean => {
    const fits = rates.every((rate) => {
      const from = atMs - rate.windowSeconds * 1000
      return admitted.filter((time) => time > from && time <= atMs).length < rate.count
    })
    if (fits) admitted.push(atMs)
    return fits
  }
}

const anyRate = fc.record({
  count: fc.integer({ min: 1, max: 7 }),
  windowSeconds: fc.constantFrom(1, 2, 5, 60),
})
const gaps = fc.array(
  fc.oneof(
    fc.constantFrom(0, 1, 999, 1000, 1001, 59_999, 60_000, 60_001),
    fc.integer({ min: 0, max: 70_000 }),
  ),
  { minLength: 1, maxLength: 60 },
)

function timesOf(list: readonly number[]): readonly number[] {
  let now = START_MS
  return list.map((gap) => {
    now += gap
    return now
  })
}

describe('sliding window', () => {
  test('RL-01 random arrivals are admitted exactly as a log of all admissions says', () => {
    fc.assert(
      fc.property(fc.array(anyRate, { minLength: 1, maxLength: 3 }), gaps, (rates, list) => {
        const window = openWindow(rates)
        const model = openModel(rates)

        const times = timesOf(list)

        expect(times.map((time) => window(time).admitted)).toEqual(times.map(model))
      }),
      { numRuns: 500 },
    )
  })

  test('no half-open interval of the window holds more than the limit', () => {
    fc.assert(
      fc.property(anyRate, gaps, (limit, list) => {
        const window = openWindow([limit])

        const admitted = timesOf(list).filter((time) => window(time).admitted)

        const lengths = admitted.map((from) => {
          return admitted.filter((t) => t >= from && t < from + limit.windowSeconds * 1000).length
        })
        expect(Math.max(...lengths)).toBeLessThanOrEqual(limit.count)
      }),
      { numRuns: 300 },
    )
  })

  test('a burst before and a burst after a minute boundary share one limit', () => {
    const window = openWindow(FIVE_A_MINUTE)
    const boundary = START_MS + 60_000

    const before = [5, 4, 3, 2].map((back) => window(boundary - back).admitted)
    const after = [0, 1, 2, 3].map((on) => window(boundary + on).admitted)

    expect([...before, ...after].filter(Boolean)).toHaveLength(5)
    expect(after).toEqual([true, false, false, false])
  })

  test('a client that waits exactly Retry-After is admitted, one that waits a second less is not', () => {
    fc.assert(
      fc.property(fc.array(anyRate, { minLength: 1, maxLength: 3 }), gaps, (rates, list) => {
        const window = openWindow(rates)
        const times = timesOf(list)
        for (const time of times) window(time)
        const last = times.at(-1) ?? START_MS

        const { admitted, retryAfterSeconds: wait } = window(last)

        const early = wait > 1 ? window(last + (wait - 1) * 1000).admitted : false
        expect(admitted || !early).toBe(true)
        expect(admitted || window(last + wait * 1000).admitted).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('a refusal leaves the log as it was, so that it needs no write', () => {
    const stored = encodeHits(
      [0, 1, 2, 3, 4].map((mark) => ({ atMs: START_MS - mark, mark })).toReversed(),
    )

    const verdict = openAdmission(9).decide(stored, FIVE_A_MINUTE, START_MS)

    expect(verdict.admitted).toBe(false)
    expect(verdict.hits).toBe(stored)
  })

  test('the remaining places and the time until the next one are told with every verdict', () => {
    const window = openWindow([...FIVE_A_MINUTE, { count: 6, windowSeconds: 3600 }])
    const first = window(START_MS)
    const sixth = [10, 20, 30, 40, 50].map((s) => window(START_MS + s * 1000)).at(-1)

    expect(first.windows.map(({ remaining, resetSeconds }) => [remaining, resetSeconds])).toEqual([
      [4, 60],
      [5, 3600],
    ])
    expect(sixth?.windows.map(({ remaining }) => remaining)).toEqual([0, 1])
    expect(sixth?.retryAfterSeconds).toBe(10)
  })

  test('a run of a transaction whose first commit was applied counts once', () => {
    const admission = openAdmission(77)
    const first = admission.decide(undefined, FIVE_A_MINUTE, START_MS)
    const others = openAdmission(78).decide(first.hits, FIVE_A_MINUTE, START_MS + 3)

    const again = admission.decide(others.hits, FIVE_A_MINUTE, START_MS + 900)

    expect(again).toMatchObject({ admitted: true, repeated: true })
    expect(decodeHits(again.hits)).toHaveLength(2)
  })

  test('a run whose first commit was not applied is decided anew', () => {
    const admission = openAdmission(77)
    admission.decide(undefined, FIVE_A_MINUTE, START_MS)
    const full = encodeHits([1, 2, 3, 4, 5].map((mark) => ({ atMs: START_MS + mark, mark })))

    const again = admission.decide(full, FIVE_A_MINUTE, START_MS + 900)

    expect(again).toMatchObject({ admitted: false, repeated: false })
  })

  test('a repeat is recognised after a window that is shorter than the repeat takes', () => {
    const rates = [{ count: 1, windowSeconds: 1 }]
    const admission = openAdmission(1)
    const first = admission.decide(undefined, rates, START_MS)
    const other = openAdmission(2).decide(first.hits, rates, START_MS + 4_000)

    expect(admission.decide(other.hits, rates, START_MS + 9_000).repeated).toBe(true)
  })

  test('a lowered limit refuses until enough hits have left', () => {
    const window = openWindow([{ count: 10, windowSeconds: 60 }])
    const tenth = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((s) => window(START_MS + s * 1000)).at(-1)

    const lowered = openAdmission(99).decide(tenth?.hits, FIVE_A_MINUTE, START_MS + 9_000)

    expect(lowered.retryAfterSeconds).toBe(56)
  })

  test('after the clock was set back nobody waits longer than two windows', () => {
    const window = openWindow(FIVE_A_MINUTE)
    for (const second of [0, 1, 2, 3, 4]) window(START_MS + second * 1000)

    const dayBefore = window(START_MS - 86_400_000)
    const shortlyBefore = window(START_MS - 30_000)

    expect(dayBefore.admitted).toBe(true)
    expect(shortlyBefore.retryAfterSeconds).toBeLessThanOrEqual(120)
  })

  test('a log of 100,000 hits stays below the 1 MiB of a document', () => {
    const rates = [{ count: 100_000, windowSeconds: 86_400 }]
    const full = Array.from({ length: 100_000 }, (_, index) => ({
      atMs: START_MS + index,
      mark: 1,
    }))

    const verdict = openAdmission(5).decide(encodeHits(full), rates, START_MS + 86_400_000 + 50)

    expect(verdict.admitted).toBe(true)
    expect(verdict.hits.byteLength).toBeLessThanOrEqual(800_000)
  })
})

test('the encoding of hits is inverted by reading it, 8 bytes each', () => {
  const hit = fc.record({
    atMs: fc.integer({ min: 0, max: 2 ** 44 - 1 }),
    mark: fc.integer({ min: 0, max: MARKS - 1 }),
  })

  fc.assert(
    fc.property(fc.array(hit), (hits) => {
      const bytes = encodeHits(hits)

      expect(bytes.byteLength).toBe(hits.length * 8)
      expect(decodeHits(bytes)).toEqual(hits)
    }),
  )
})

test('stored bytes that end in half a hit are read without it', () => {
  const bytes = encodeHits([{ atMs: START_MS, mark: 3 }])

  expect(decodeHits(new Uint8Array([...bytes, 1, 2, 3]))).toEqual([{ atMs: START_MS, mark: 3 }])
})
