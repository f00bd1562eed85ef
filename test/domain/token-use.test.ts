import { describe, expect, test } from 'vitest'
import type { Session } from '../../shared/domain/session.ts'
import {
  MAX_SUPERSEDED,
  SUPERSEDED_MS,
  useAccessToken,
  useRefreshToken,
} from '../../shared/domain/token-use.ts'
import { DAY, MINUTE, newSession, SECOND, START } from './token-family.ts'

/** Generation 5, whose tokens were handed out a while ago. */
function session(changes: Partial<Session> = {}): Session {
  return {
    ...newSession(),
    generation: 5,
    delivery: 2,
    confirmedGeneration: 4,
    handedOutAt: new Date(START),
    ...changes,
  }
}
const seen: Partial<Session> = { confirmedGeneration: 5 }
const at = (milliseconds: number) => new Date(START + milliseconds)

/** A token that is asked about as soon as it comes. */
const refreshWith = (stored: Session, generation: number, now: Date) =>
  useRefreshToken(stored, { generation, presentedAt: now }, now)

describe('a refresh token', () => {
  test('of the current generation is rotated', () => {
    const verdict = refreshWith(session(), 5, at(MINUTE))

    expect(verdict).toMatchObject({
      kind: 'rotated',
      session: {
        generation: 6,
        delivery: 1,
        confirmedGeneration: 5,
        previousHash: 'hash-1',
        handedOutAt: at(MINUTE),
        revokedAt: undefined,
      },
    })
  })

  test('of the generation before, whose successor nobody used, comes again as the same hand-out within 20 s', () => {
    const verdict = refreshWith(session(), 4, at(20 * SECOND))

    expect(verdict).toEqual({
      kind: 'repeated',
      session: session({ handedOutAt: at(20 * SECOND) }),
    })
  })

  test.for([20_001, 5 * MINUTE, 29 * DAY])(
    'of the generation before, whose successor nobody used, comes as a new hand-out after %i ms',
    (later) => {
      const verdict = refreshWith(session(), 4, at(later))

      expect(verdict).toEqual({
        kind: 'repeated',
        session: session({
          delivery: 3,
          handedOutAt: at(later),
          superseded: [{ generation: 5, delivery: 2, replacedAt: at(later) }],
        }),
      })
    },
  )

  test('of the generation before, whose successor was used, comes again within 20 s and changes nothing', () => {
    const stored = session(seen)
    const verdict = refreshWith(stored, 4, at(20 * SECOND))

    expect(verdict).toEqual({ kind: 'repeated', session: stored })
    expect(verdict.kind === 'repeated' && verdict.session).toBe(stored)
  })

  test('of the generation before, whose successor was used, ends the session after 20 s', () => {
    const verdict = refreshWith(session(seen), 4, at(20_001))

    expect(verdict).toMatchObject({
      kind: 'reused',
      session: { revokedAt: at(20_001), revokeReason: 'refresh_reuse' },
    })
  })

  test.for([1, 2, 3])('of generation %i, long replaced, ends the session at once', (generation) => {
    expect(refreshWith(session(), generation, at(0)).kind).toBe('reused')
  })

  test.for([1, 2, 3])(
    'of generation %i, that came before the last hand-out, says nothing',
    (generation) => {
      const late = { generation, presentedAt: at(-1) }

      expect(useRefreshToken(session(), late, at(15 * SECOND))).toEqual({ kind: 'late' })
    },
  )

  test('of a generation that is not stored, as after a restored backup, changes nothing', () => {
    expect(refreshWith(session(), 6, at(0))).toEqual({ kind: 'ended' })
  })

  test.for([
    { state: 'revoked', changes: { revokedAt: at(-1) } },
    { state: 'unused for too long', changes: { idleExpiresAt: at(0) } },
    { state: 'too old', changes: { expiresAt: at(0) } },
  ])('of a session that is $state changes nothing', ({ changes }) => {
    for (const generation of [3, 4, 5]) {
      expect(refreshWith(session(changes), generation, at(0))).toEqual({ kind: 'ended' })
    }
  })
})

describe('an access token', () => {
  test('of the current hand-out is served after its generation was noted as used', () => {
    const verdict = useAccessToken(session(), { generation: 5, delivery: 2 }, at(0))

    expect(verdict).toEqual({ kind: 'first-sight', session: session(seen) })
  })

  test('of a generation that was used before is served without a write', () => {
    const verdict = useAccessToken(session(seen), { generation: 5, delivery: 2 }, at(0))

    expect(verdict).toEqual({ kind: 'served' })
  })

  test('of an earlier generation is served, and does not make its successor used', () => {
    const verdict = useAccessToken(session(), { generation: 4, delivery: 1 }, at(0))

    expect(verdict).toEqual({ kind: 'served' })
  })

  test.for([
    { generation: 5, delivery: 1 },
    { generation: 4, delivery: 1 },
  ])('that hand-out $generation.$delivery replaced ends the session', (token) => {
    const stored = session({ superseded: [{ ...token, replacedAt: at(0) }] })
    const verdict = useAccessToken(stored, token, at(MINUTE))

    expect(verdict).toMatchObject({ kind: 'reused', session: { revokedAt: at(MINUTE) } })
  })

  test.for([
    { generation: 5, delivery: 3 },
    { generation: 6, delivery: 1 },
  ])('of a hand-out that is not stored ($generation.$delivery) changes nothing', (token) => {
    expect(useAccessToken(session(), token, at(0))).toEqual({ kind: 'ended' })
  })

  test('of a revoked session is refused and changes nothing', () => {
    const stored = session({ revokedAt: at(0), superseded: [] })

    expect(useAccessToken(stored, { generation: 5, delivery: 1 }, at(0))).toEqual({ kind: 'ended' })
  })
})

describe('replaced hand-outs', () => {
  test('are forgotten once their access tokens have expired', () => {
    const old = { generation: 5, delivery: 1, replacedAt: at(0) }
    const stored = session({ superseded: [old] })

    const before = refreshWith(stored, 5, at(16 * MINUTE - 1))
    const after = refreshWith(stored, 5, at(16 * MINUTE))

    expect(before).toMatchObject({ session: { superseded: [old] } })
    expect(after).toMatchObject({ session: { superseded: [] } })
  })

  test('never become more than 48, however often a caller asks again', () => {
    let stored = session()
    for (let again = 1; again <= 200; again += 1) {
      const verdict = refreshWith(stored, 4, at(again * 20_001))
      if (verdict.kind === 'repeated') stored = verdict.session
      expect(stored.superseded.length).toBeLessThanOrEqual(MAX_SUPERSEDED)
    }
    expect(stored.delivery).toBe(202)
    expect(stored.superseded.length).toBe(Math.floor(SUPERSEDED_MS / 20_001) + 1)
  })
})
