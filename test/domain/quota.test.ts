import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesToReserve, FORM_BYTES, NO_USAGE, type Usage } from '../../shared/domain/quota.ts'

const QUOTA = { count: 3, bytes: 100_000 }
const MAX = 50_000

function reserve(usage: Partial<Usage>, declaredBytes: number | undefined, formBytes = 0) {
  const asked = { declaredBytes, formBytes, maxBytes: MAX }
  return bytesToReserve({ ...NO_USAGE, ...usage }, QUOTA, asked)
}

const ROWS = [
  { what: 'the declared length', usage: {}, declared: 1000, held: 1000 },
  { what: 'the largest photo, of unknown length', usage: {}, declared: undefined, held: MAX },
  { what: 'the largest photo, of a longer form', usage: {}, declared: 60_000, held: MAX },
  {
    what: 'what is left, of unknown length',
    usage: { photoBytes: 90_000 },
    declared: undefined,
    held: 10_000,
  },
  { what: 'all that is left', usage: { reservedBytes: 99_000 }, declared: 1000, held: 1000 },
  {
    what: 'nothing, one byte over it',
    usage: { reservedBytes: 99_000 },
    declared: 1001,
    held: undefined,
  },
  { what: 'nothing, where all is taken', usage: { photoBytes: 100_000 }, held: undefined },
  {
    what: 'nothing, where all places are',
    usage: { photoCount: 2, reservedCount: 1 },
    declared: 1,
    held: undefined,
  },
]

test.for(ROWS)('an upload holds $what', ({ usage, declared, held }) => {
  expect(reserve(usage, declared)).toBe(held)
})

test('a form may be longer than what is left by as much as a form adds', () => {
  const usage = { photoBytes: 99_000 }

  expect(reserve(usage, 1000 + FORM_BYTES, FORM_BYTES)).toBe(1000)
  expect(reserve(usage, 1001 + FORM_BYTES, FORM_BYTES)).toBeUndefined()
})

type Step = { declared: number | undefined; stored: number; runs: boolean }

/** The usage after one more upload, which still runs or has stored a part of what it held. */
function after(usage: Usage, { declared, stored, runs }: Step): Usage {
  const held = reserve(usage, declared, FORM_BYTES)
  if (held === undefined) return usage
  const { photoCount, photoBytes, reservedCount, reservedBytes } = usage
  return runs
    ? { ...usage, reservedCount: reservedCount + 1, reservedBytes: reservedBytes + held }
    : { ...usage, photoCount: photoCount + 1, photoBytes: photoBytes + Math.floor(held * stored) }
}

test('however uploads come and go, what is taken and held never exceeds the quota', () => {
  const steps = fc.array(
    fc.record({
      declared: fc.option(fc.integer({ min: 1, max: 70_000 }), { nil: undefined }),
      stored: fc.double({ min: 0, max: 1, noNaN: true }),
      runs: fc.boolean(),
    }),
  )
  fc.assert(
    fc.property(steps, (uploads) => {
      const usage = uploads.reduce(after, NO_USAGE)

      expect(usage.photoBytes + usage.reservedBytes).toBeLessThanOrEqual(QUOTA.bytes)
      expect(usage.photoCount + usage.reservedCount).toBeLessThanOrEqual(QUOTA.count)
    }),
  )
})
