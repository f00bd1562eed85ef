import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SAME_HAND_OUT_MS } from '../../shared/domain/token-use.ts'
import { type Answer, HOUR, MINUTE, SECOND, START, TokenFamily } from './token-family.ts'

/** A tenth of the runs unless the whole count is asked for. */
const FULL = process.env['FULL'] === '1'
const RUNS = FULL ? 1_000 : 100
/** 100 steps a run on average. */
const STEPS = { minLength: 1, maxLength: 200, size: 'max' } as const
const ACCESS_TOKEN_MS = 10 * MINUTE
/** A request and its reply take so long at most, or count as lost; two of them stay within one hand-out. */
const LATENCY_MS = 8 * SECOND
/** Clocks of the store's replicas differ by so much. */
const SKEW_MS = 1_500

const action = fc.record({
  kind: fc.constantFrom('refresh' as const, 'refresh' as const, 'use' as const),
  /** Since the action before: parallel, a moment, minutes, hours. */
  wait: fc.oneof(
    fc.constant(0),
    fc.integer({ min: 0, max: 30 * SECOND }),
    fc.integer({ min: 0, max: 5 * HOUR }),
  ),
  out: fc.integer({ min: 0, max: LATENCY_MS }),
  back: fc.integer({ min: 0, max: LATENCY_MS }),
  skew: fc.integer({ min: -SKEW_MS, max: SKEW_MS }),
  lost: fc.constantFrom('request', 'reply', 'reply', 'nothing', 'nothing', 'nothing'),
})
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never

type Event = { readonly at: number; readonly run: () => void }

/** Several tabs of one honest app, which share what is stored: every request that was sent and is not lost is answered. */
class HonestApp {
  readonly refusals: string[] = []
  readonly families = new Set<string>()
  rotations = 0
  readonly #family = new TokenFamily()
  readonly #events: Event[] = []
  #stored: Answer = this.#family.login()

  run(actions: readonly Action[]): void {
    let now = START
    for (const next of actions) {
      now += next.wait
      const at = now
      this.#at(at, () => (next.kind === 'refresh' ? this.#refresh(next, at) : this.#use(next, at)))
    }
    while (this.#events.length > 0) {
      this.#events.sort((one, other) => one.at - other.at)
      this.#events.shift()?.run()
    }
  }

  #at(at: number, run: () => void): void {
    this.#events.push({ at, run })
  }

  /** Reads the stored token right before it refreshes; has no reason to where it came a moment ago. */
  #refresh({ out, back, skew, lost }: Action, now: number): void {
    const { generation, answeredAt } = this.#stored
    if (lost === 'request' || now - answeredAt < SAME_HAND_OUT_MS) return
    this.#at(now + out, () => {
      const before = this.#family.session.generation
      const answer = this.#family.refresh(generation, now + out + skew)
      if (answer === 'refused') {
        this.refusals.push(`refresh ${generation} of ${before}`)
        return
      }
      this.rotations += answer.generation - before
      this.families.add(`${generation} -> ${answer.generation}`)
      if (lost === 'nothing') this.#at(now + out + back, () => this.#receive(answer))
    })
  }

  #receive(answer: Answer): void {
    if (answer.generation >= this.#stored.generation) this.#stored = answer
  }

  #use({ out, skew }: Action, now: number): void {
    const token = this.#stored
    if (now - token.answeredAt > ACCESS_TOKEN_MS) return
    this.#at(now + out, () => {
      if (this.#family.use(token, now + out + skew) === 'refused') {
        this.refusals.push(`use ${token.generation}.${token.delivery}`)
      }
    })
  }
}

describe('an honest app', () => {
  test('is never signed out, whatever is lost, repeated or sent twice', () => {
    fc.assert(
      fc.property(fc.array(action, STEPS), (actions) => {
        const app = new HonestApp()
        app.run(actions)
        expect(app.refusals).toEqual([])
      }),
      { numRuns: RUNS },
    )
  })

  test('never gets two successors of one token', () => {
    fc.assert(
      fc.property(fc.array(action, STEPS), (actions) => {
        const app = new HonestApp()
        app.run(actions)
        const presented = [...app.families].map((pair) => pair.split(' ')[0])
        expect(new Set(presented).size).toBe(presented.length)
        expect(app.rotations).toBe(app.families.size)
      }),
      { numRuns: RUNS },
    )
  })
})

const attempt = fc.record({
  /** Until it refreshes again, however recently it did. */
  wait: fc.integer({ min: 0, max: 30 * SECOND }),
  /** How long the store makes the server wait; a request is ended after 15 s. */
  delay: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 15 * SECOND })),
  patience: fc.integer({ min: 1, max: 3 * SECOND }),
})
type Attempt = typeof attempt extends fc.Arbitrary<infer T> ? T : never

/** An app that hangs up when it is not answered soon, asks again with what it has, and uses what it gets at once. */
function livesThrough(attempts: readonly Attempt[]): boolean {
  const family = new TokenFamily()
  const late: { readonly at: number; readonly cameAt: number; readonly generation: number }[] = []
  let stored = family.login()
  let now = START
  const workOff = (until: number) => {
    late.sort((one, other) => one.at - other.at)
    while ((late[0]?.at ?? Number.POSITIVE_INFINITY) <= until) {
      const next = late.shift()
      if (next !== undefined) family.refresh(next.generation, next.at, next.cameAt)
    }
  }
  for (const { wait, delay, patience } of attempts) {
    now += wait
    const cameAt = now
    if (delay > patience) {
      late.push({ at: cameAt + delay, cameAt, generation: stored.generation })
      now += patience
      workOff(now)
      continue
    }
    now += delay
    workOff(now)
    const answer = family.refresh(stored.generation, now, cameAt)
    if (answer === 'refused' || family.use(answer, now) === 'refused') return false
    stored = answer
  }
  workOff(Number.MAX_SAFE_INTEGER)
  return family.session.revokedAt === undefined
}

test('an app that hangs up and asks again is never signed out by what it no longer waits for', () => {
  const attempts = fc.array(attempt, { minLength: 1, maxLength: 60, size: 'max' })
  fc.assert(
    fc.property(attempts, (all) => {
      expect(livesThrough(all)).toBe(true)
    }),
    { numRuns: 10 * RUNS },
  )
})

const move = fc.record({
  who: fc.constantFrom('owner' as const, 'thief' as const),
  kind: fc.constantFrom('refresh' as const, 'use' as const),
  lost: fc.boolean(),
  /** Further apart than one hand-out, so that no two of their answers are one. */
  wait: fc.integer({ min: 20_001, max: 4 * MINUTE }),
})
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never

/** An owner whose replies get lost now and then, and a thief who copied the stored token after the login. */
class StolenToken {
  readonly family = new TokenFamily()
  /** Who was served with an access token of which generation. */
  readonly served = new Map<number, Set<string>>()
  readonly used = { owner: 0, thief: 0 }
  readonly #stored = { owner: this.family.login(), thief: this.family.login() }
  #now = START

  step({ who, kind, lost, wait }: Move): void {
    this.#now += wait
    if (kind === 'refresh') this.#refresh(who, lost)
    else this.#use(who)
  }

  #refresh(who: Move['who'], lost: boolean): void {
    const answer = this.family.refresh(this.#stored[who].generation, this.#now)
    if (answer !== 'refused' && !lost) this.#stored[who] = answer
  }

  #use(who: Move['who']): void {
    const token = this.#stored[who]
    // The first pair is the same copy for both: what it opens tells nobody apart.
    if (token.generation === 1 || this.#now - token.answeredAt > ACCESS_TOKEN_MS) return
    if (this.family.use(token, this.#now) === 'refused') return
    const others = this.served.get(token.generation) ?? new Set()
    this.served.set(token.generation, others.add(who))
    this.used[who] += 1
  }
}

const moves = fc.array(move, STEPS)

describe('a thief who copied the refresh token', () => {
  test('SES-08 is found before both have used an access token of one generation', () => {
    fc.assert(
      fc.property(moves, (all) => {
        const stolen = new StolenToken()
        for (const next of all) stolen.step(next)
        for (const users of stolen.served.values()) expect([...users]).toHaveLength(1)
      }),
      { numRuns: RUNS },
    )
  })

  test('who used a token and goes on is found within one round of refreshes', () => {
    const round: readonly Pick<Move, 'who' | 'kind'>[] = [
      { who: 'owner', kind: 'refresh' },
      { who: 'owner', kind: 'use' },
      { who: 'thief', kind: 'refresh' },
      { who: 'thief', kind: 'use' },
    ]
    fc.assert(
      fc.property(moves, (all) => {
        const stolen = new StolenToken()
        for (const next of all) stolen.step(next)
        const wasUsed = stolen.used.thief > 0
        for (const next of [...round, ...round]) stolen.step({ ...next, lost: false, wait: 30_000 })
        if (wasUsed) expect(stolen.family.ended).toBe(true)
      }),
      { numRuns: RUNS },
    )
  })

  test('in lock-step, who refreshes first and waits with the access token until the owner has one, is found by it', () => {
    const family = new TokenFamily()
    const thief = family.refresh(1, START + MINUTE)
    const owner = family.refresh(1, START + 2 * MINUTE)
    if (owner === 'refused' || thief === 'refused') throw new Error('refused')

    expect(family.use(owner, START + 3 * MINUTE)).toBe('served')
    expect(family.use(thief, START + 4 * MINUTE)).toBe('refused')
    expect(family.ended).toBe(true)
  })

  test('with an older token than the owner’s last two never gets in, and ends the session', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 40 }),
        fc.integer({ min: 2, max: 39 }),
        fc.integer({ min: 0, max: 5 * HOUR }),
        (rotations, age, wait) => {
          fc.pre(age < rotations)
          const family = new TokenFamily()
          let now = START
          for (let generation = 1; generation < rotations; generation += 1) {
            now += MINUTE
            family.refresh(generation, now)
          }
          expect(family.refresh(rotations - age, now + wait)).toBe('refused')
          expect(family.ended).toBe(true)
          expect(family.refresh(rotations, now + wait)).toBe('refused')
        },
      ),
    )
  })
})
