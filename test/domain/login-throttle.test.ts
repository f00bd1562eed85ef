import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Bucket,
  delaySeconds,
  EMPTY_BUCKET,
  judge,
  settle,
  stillKnown,
  type Throttle,
  takePlace,
} from '../../shared/domain/login-throttle.ts'
import type { Hit } from '../../shared/domain/sliding-window.ts'

const ACCOUNT: Throttle = { rates: [{ count: 10, windowSeconds: 900 }], growingDelay: true }
const ADDRESS: Throttle = { rates: [{ count: 30, windowSeconds: 60 }], growingDelay: false }
const START_MS = Date.UTC(2026, 10, 24)
const DAY_SECONDS = 86_400

let marks = 0
function attemptAt(atMs: number): Hit {
  marks += 1
  return { atMs, mark: marks }
}

/** The bucket after an attempt in flight was reported as a failure. */
function failed(bucket: Bucket, attempt: Hit): Bucket {
  const holds = bucket.holds.filter((hold) => hold.mark !== attempt.mark)
  return { ...bucket, holds, reported: [...bucket.reported, attempt] }
}

function failAt(bucket: Bucket, throttle: Throttle, atMs: number): Bucket {
  const attempt = attemptAt(atMs)
  return failed(takePlace(settle(bucket, throttle.rates, atMs), attempt), attempt)
}

function verdictAt(bucket: Bucket, throttle: Throttle, atMs: number) {
  return judge(settle(bucket, throttle.rates, atMs), throttle, atMs)
}

function failures(count: number, throttle: Throttle, gapMs: number): Bucket {
  return Array.from({ length: count }).reduce<Bucket>(
    (bucket, _, index) => failAt(bucket, throttle, START_MS + index * gapMs),
    EMPTY_BUCKET,
  )
}

describe('growing delay', () => {
  test('five failures are free, then the wait doubles from 1 s to 900 s', () => {
    const waits = Array.from({ length: 20 }, (_, count) => delaySeconds(count))

    expect(waits).toEqual([
      0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900, 900,
    ])
    expect(delaySeconds(100_000)).toBe(900)
  })

  test.for([
    { count: 4, seconds: 0 },
    { count: 5, seconds: 1 },
    { count: 7, seconds: 4 },
    { count: 9, seconds: 16 },
  ])('after $count quick failures the wait is $seconds s', ({ count, seconds }) => {
    const bucket = failures(count, ACCOUNT, 0)

    const verdict = verdictAt(bucket, ACCOUNT, START_MS)

    expect(verdict).toMatchObject({ admitted: seconds === 0, retryAfterSeconds: seconds })
  })

  test('who waits exactly as long as told may try again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 2000 }), (n, gap) => {
        const bucket = failures(n, ACCOUNT, gap)
        const now = START_MS + n * gap
        const { retryAfterSeconds } = verdictAt(bucket, ACCOUNT, now)

        expect(verdictAt(bucket, ACCOUNT, now + retryAfterSeconds * 1000).admitted).toBe(true)
      }),
    )
  })

  test('a day without a failure forgets them', () => {
    const bucket = failures(40, ACCOUNT, 1000)
    const last = START_MS + 39_000

    expect(settle(bucket, ACCOUNT.rates, last + DAY_SECONDS * 1000 - 1).failures).toBe(40)
    expect(settle(bucket, ACCOUNT.rates, last + DAY_SECONDS * 1000).failures).toBe(0)
  })

  test('once the delay has begun, only one attempt at a time is in flight', () => {
    const bucket = failures(5, ACCOUNT, 0)
    const now = START_MS + 1000
    const withOne = takePlace(settle(bucket, ACCOUNT.rates, now), attemptAt(now))

    const second = verdictAt(withOne, ACCOUNT, now)

    expect(second).toMatchObject({ admitted: false, retryAfterSeconds: 5 })
    expect(verdictAt(withOne, ACCOUNT, now + 5000).admitted).toBe(true)
  })
})

describe('attempts in flight', () => {
  test('of 100 parallel guesses at one account, no more than the limit check a password', () => {
    let bucket = EMPTY_BUCKET
    const admitted = Array.from({ length: 100 }, () => {
      const verdict = verdictAt(bucket, ACCOUNT, START_MS)
      if (verdict.admitted) bucket = takePlace(bucket, attemptAt(START_MS))
      return verdict.admitted
    })

    expect(admitted.filter(Boolean)).toHaveLength(10)
  })

  test('places of attempts that were never heard of are free again after 5 s', () => {
    const places = Array.from({ length: 30 }, () => attemptAt(START_MS))
    const bucket = places.reduce(takePlace, EMPTY_BUCKET)

    expect(verdictAt(bucket, ADDRESS, START_MS + 1)).toMatchObject({
      admitted: false,
      retryAfterSeconds: 5,
    })
    expect(verdictAt(bucket, ADDRESS, START_MS + 5000).admitted).toBe(true)
  })

  test('a failure keeps its place for the window', () => {
    const bucket = failures(30, ADDRESS, 0)

    expect(verdictAt(bucket, ADDRESS, START_MS + 5000)).toMatchObject({
      admitted: false,
      retryAfterSeconds: 55,
    })
    expect(verdictAt(bucket, ADDRESS, START_MS + 60_000).admitted).toBe(true)
  })

  test('a failure that is reported again, before or after it was counted, counts once', () => {
    const attempt = attemptAt(START_MS)
    const twice = failed(failed(takePlace(EMPTY_BUCKET, attempt), attempt), attempt)
    const counted = settle(twice, ACCOUNT.rates, START_MS + 10)

    const again = settle(failed(counted, attempt), ACCOUNT.rates, START_MS + 9000)

    expect(counted.failures).toBe(1)
    expect(again.failures).toBe(1)
  })
})

describe('guesses a day', () => {
  /** Password checks that a tireless attacker gets out of one bucket, from `from` to `to` seconds. */
  function guesses(fromSeconds: number, toSeconds: number): number {
    let bucket = EMPTY_BUCKET
    let now = START_MS
    let count = 0
    while (now < START_MS + toSeconds * 1000) {
      const verdict = verdictAt(bucket, ACCOUNT, now)
      if (verdict.admitted) {
        bucket = failAt(bucket, ACCOUNT, now)
        count += now >= START_MS + fromSeconds * 1000 ? 1 : 0
      }
      now += verdict.retryAfterSeconds * 1000
    }
    return count
  }

  test('whatever the number of addresses, one account is guessed at most 108 times on the first day and 96 on each later one', () => {
    const [first, second, third] = [0, 1, 2].map((day) => {
      return guesses(day * DAY_SECONDS, (day + 1) * DAY_SECONDS)
    })

    expect(first).toBe(108)
    expect(second).toBe(96)
    expect(third).toBe(96)
  })

  type Move = { readonly burst: number; readonly patience: number; readonly abandoned: boolean }

  /** As many parallel attempts as are wanted and admitted. */
  function burstAt(bucket: Bucket, wanted: number, now: number) {
    let held = settle(bucket, ACCOUNT.rates, now)
    const places: Hit[] = []
    while (places.length < wanted && judge(held, ACCOUNT, now).admitted) {
      const attempt = attemptAt(now)
      held = takePlace(held, attempt)
      places.push(attempt)
    }
    return { held, places }
  }

  type Attack = { readonly bucket: Bucket; readonly now: number; readonly count: number }

  function afterMove({ bucket, now, count }: Attack, move: Move): Attack {
    const { held, places } = burstAt(bucket, move.burst, now)
    const next = move.abandoned ? held : places.reduce(failed, held)
    const wait = verdictAt(next, ACCOUNT, now).retryAfterSeconds + move.patience
    const answered = move.abandoned || now >= START_MS + DAY_SECONDS * 1000 ? 0 : places.length
    return { bucket: next, now: now + wait * 1000, count: count + answered }
  }

  /** Answered guesses of the first day. */
  function guessesOf(moves: readonly Move[]): number {
    return moves.reduce(afterMove, { bucket: EMPTY_BUCKET, now: START_MS, count: 0 }).count
  }

  test('no timing and no parallel burst gets more than 108 guesses out of the first day', () => {
    const move = fc.record({
      burst: fc.integer({ min: 1, max: 20 }),
      patience: fc.oneof(
        { weight: 5, arbitrary: fc.constant(0) },
        fc.integer({ max: 2000, min: 0 }),
      ),
      abandoned: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
    })
    const moves = fc.array(move, { minLength: 100, maxLength: 200 })

    fc.assert(
      fc.property(moves, (list) => {
        expect(guessesOf(list)).toBeLessThanOrEqual(108)
      }),
      { numRuns: 100 },
    )
  })
})

describe('known networks', () => {
  const daysAgo = (days: number) => new Date(START_MS - days * DAY_SECONDS * 1000)

  test('a network is known for 30 days after a success', () => {
    const networks = new Map([
      ['home', daysAgo(29.9)],
      ['hotel', daysAgo(30)],
    ])

    expect([...stillKnown(networks, START_MS).keys()]).toEqual(['home'])
  })

  test('only the latest 8 are known, so that their buckets stay few', () => {
    const networks = new Map(Array.from({ length: 12 }, (_, age) => [`n${age}`, daysAgo(age)]))

    const known = [...stillKnown(networks, START_MS).keys()]

    expect(known).toEqual(['n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7'])
  })
})
