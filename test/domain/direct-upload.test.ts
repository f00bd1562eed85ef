import { expect, test } from 'vitest'
import {
  completionLeaseUntil,
  completionVerdict,
  type DirectUpload,
  directUploadExpiry,
} from '../../shared/domain/direct-upload.ts'
import { RENEW_MS } from '../../shared/domain/idempotency.ts'
import { directUploadUntil, isForgotten, pendingUntil } from '../../shared/domain/orphans.ts'

const NOW = new Date('2026-01-01T12:00:00Z')
const secondsAgo = (seconds: number) => new Date(NOW.getTime() - seconds * 1000)

const OPEN: DirectUpload = {
  id: 'upload',
  ownerId: 'owner',
  contentType: 'image/png',
  bytes: 10,
  sha256: undefined,
  originalName: 'photo',
  sessionUrl: 'https://bucket/session',
  expiresAt: directUploadExpiry(NOW),
  state: 'open',
  photoId: undefined,
  leaseUntil: undefined,
  removeAfter: NOW,
  keyId: undefined,
}
const expired = { expiresAt: directUploadExpiry(secondsAgo(3600)) }
const leased = { photoId: 'p', leaseUntil: completionLeaseUntil(secondsAgo(29)) }
const died = { photoId: 'p', leaseUntil: completionLeaseUntil(secondsAgo(30)) }

const ROWS = [
  { what: 'an open upload', change: {}, verdict: 'complete' },
  { what: 'an hour later', change: expired, verdict: 'gone' },
  { what: 'one that another request completes', change: leased, verdict: 'running' },
  {
    what: 'one that expired while another request completes it',
    change: { ...leased, ...expired },
    verdict: 'running',
  },
  { what: 'one whose complete died 30 s ago', change: died, verdict: 'complete' },
  { what: 'a completed one', change: { state: 'completed', photoId: 'p' }, verdict: 'completed' },
  { what: 'one that is over', change: { state: 'over' }, verdict: 'gone' },
  { what: 'one whose session has not started', change: { sessionUrl: undefined }, verdict: 'gone' },
  { what: 'somebody else’s', change: { ownerId: 'other' }, verdict: 'gone' },
  {
    what: 'somebody else’s that is completed',
    change: { ownerId: 'other', state: 'completed', photoId: 'p' },
    verdict: 'gone',
  },
] as const

test.for(ROWS)('$what is $verdict', ({ change, verdict }) => {
  expect(completionVerdict({ ...OPEN, ...change }, 'owner', NOW).verdict).toBe(verdict)
})

test('an upload that nobody made is gone', () => {
  expect(completionVerdict(undefined, 'owner', NOW)).toEqual({ verdict: 'gone' })
})

test('a complete may miss a renewal and keep its lease', () => {
  const lease = completionLeaseUntil(NOW).getTime() - NOW.getTime()

  expect(lease).toBe(30_000)
  expect(2 * RENEW_MS).toBeLessThan(lease)
})

test('nothing is removed within 15 min of its last renewal or its expiry, nor unnamed within a day', () => {
  expect(pendingUntil(secondsAgo(900))).toEqual(NOW)
  expect(directUploadUntil(secondsAgo(900))).toEqual(NOW)
  expect(isForgotten(secondsAgo(86_400), NOW)).toBe(false)
  expect(isForgotten(secondsAgo(86_401), NOW)).toBe(true)
})
