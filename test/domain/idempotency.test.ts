import { expect, test } from 'vitest'
import {
  type KeyState,
  keptUntil,
  keyVerdict,
  leaseUntil,
  MAX_REPLAYS,
  RENEW_MS,
} from '../../shared/domain/idempotency.ts'

const NOW = new Date('2026-01-01T12:00:00Z')
const secondsAgo = (seconds: number) => new Date(NOW.getTime() - seconds * 1000)

const running = (renewed: Date): KeyState<string> => ({
  state: 'running',
  attemptId: 'a',
  leaseUntil: leaseUntil(renewed),
})
const answered = (at: Date, replays = 0): KeyState<string> => ({
  state: 'answered',
  receivedSha256: 'sha',
  answer: 'photo',
  replays,
  keptUntil: keptUntil(at),
})

const DAY = 86_400
const ROWS = [
  { what: 'a key that nobody used', key: undefined, verdict: 'free' },
  { what: 'a key in use', key: running(NOW), verdict: 'running' },
  { what: 'a key renewed 59 s ago', key: running(secondsAgo(59)), verdict: 'running' },
  { what: 'a key renewed 60 s ago', key: running(secondsAgo(60)), verdict: 'abandoned' },
  { what: 'an answered key', key: answered(NOW), verdict: 'repeat' },
  {
    what: 'a key of a day ago, less a second',
    key: answered(secondsAgo(DAY - 1)),
    verdict: 'repeat',
  },
  { what: 'a key of a day ago', key: answered(secondsAgo(DAY)), verdict: 'free' },
  { what: 'a key with 19 repeats', key: answered(NOW, MAX_REPLAYS - 1), verdict: 'repeat' },
  { what: 'a key with 20 repeats', key: answered(NOW, MAX_REPLAYS), verdict: 'exhausted' },
  {
    what: 'a key with 20 repeats of a day ago',
    key: answered(secondsAgo(DAY), MAX_REPLAYS),
    verdict: 'free',
  },
]

test.for(ROWS)('$what is $verdict', ({ key, verdict }) => {
  expect(keyVerdict(key, NOW).verdict).toBe(verdict)
})

test('a repeat knows what was received and what was answered', () => {
  expect(keyVerdict(answered(NOW), NOW)).toEqual({
    verdict: 'repeat',
    receivedSha256: 'sha',
    answer: 'photo',
  })
})

test('a holder may miss a renewal and keep its key', () => {
  const lease = leaseUntil(NOW).getTime() - NOW.getTime()

  expect(lease).toBe(60_000)
  expect(2 * RENEW_MS).toBeLessThan(lease)
})
