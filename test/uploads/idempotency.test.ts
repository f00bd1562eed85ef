import { expect } from 'vitest'
import { leaseUntil } from '../../shared/domain/idempotency.ts'
import { objectName } from '../../shared/domain/photo.ts'
import { keyDocument, keyIdOf } from '../../shared/store/idempotency-keys.ts'
import { createPendingPhoto } from '../../shared/store/pending-photos.ts'
import { usageDocument } from '../../shared/store/usage.ts'
import { call, registerUser, type User } from '../app.ts'
import {
  inParallel,
  listed,
  NOTHING_STORED,
  onlyStored,
  photoOf,
  pngOf,
  type Stores,
  storedFor,
  test,
  upload,
  userIdOf,
} from './stored-app.ts'

test('UP-12 of ten parallel requests with one key one makes the photo, the others get it or 409', async ({
  app,
  user,
}) => {
  const answers = await inParallel(Array.from({ length: 10 }), 10, () =>
    upload(app, user, pngOf(200_000), { key: 'ten' }),
  )

  const made = answers.filter(({ status }) => status === 201)
  const others = answers.filter(({ status }) => status !== 201)
  expect(made).toHaveLength(1)
  for (const { status, body, headers } of others) {
    if (status === 200) expect(body).toEqual(made[0]?.body)
    else expect([status, body['code']]).toEqual([409, 'idempotency_key_in_use'])
    expect(headers.get(status === 200 ? 'idempotency-replayed' : 'retry-after')).toBeTruthy()
  }
  const photos = await listed(app, user)
  expect(await storedFor(app, user)).toEqual(onlyStored(user, photos))
  expect(photos).toHaveLength(1)
})

test('a key in quotes is the key within', async ({ app, user }) => {
  const first = await upload(app, user, pngOf(500), { key: 'same-key' })

  const again = await upload(app, user, pngOf(500), { key: '"same-key"' })

  expect([again.status, again.body]).toEqual([200, first.body])
})

test('other bytes with the same key are refused, and the first photo stays', async ({
  app,
  user,
}) => {
  const first = await upload(app, user, pngOf(500), { key: 'k' })

  const other = await upload(app, user, pngOf(501), { key: 'k' })

  expect([other.status, other.body['code']]).toEqual([422, 'idempotency_key_reused'])
  expect(await storedFor(app, user)).toEqual(onlyStored(user, [photoOf(first)]))
})

test('twenty repeats are answered, the next one is told when the key is free', async ({
  app,
  user,
}) => {
  await upload(app, user, pngOf(500), { key: 'k' })
  const repeats = await inParallel(Array.from({ length: 20 }), 4, () =>
    upload(app, user, pngOf(500), { key: 'k' }),
  )

  const refused = await upload(app, user, pngOf(500), { key: 'k' })

  expect(new Set(repeats.map(({ status }) => status))).toEqual(new Set([200]))
  expect([refused.status, refused.body['code']]).toEqual([429, 'rate_limited'])
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(86_000)
  expect(refused.headers.get('ratelimit-policy')).toBe('"repeats";q=20;w=86400')
})

test('a repeat after the deletion is the first answer and brings no photo back', async ({
  app,
  user,
}) => {
  const first = await upload(app, user, pngOf(500), { key: 'k' })
  await call(app.url, 'DELETE', `/photos/${photoOf(first)['id']}`, { token: user.accessToken })

  const again = await upload(app, user, pngOf(500), { key: 'k' })

  expect([again.status, again.body]).toEqual([200, first.body])
  expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
})

test('a key whose upload was refused is free at once', async ({ app, user }) => {
  const damaged = pngOf(500).subarray(0, 400)

  const refused = await upload(app, user, damaged, { key: 'k' })
  const accepted = await upload(app, user, pngOf(500), { key: 'k' })

  expect([refused.status, accepted.status]).toEqual([422, 201])
})

test('two users may use the same key', async ({ app, user }) => {
  const other = await registerUser(app.url)

  const answers = [
    await upload(app, user, pngOf(500), { key: 'shared' }),
    await upload(app, other, pngOf(500), { key: 'shared' }),
  ]

  expect(answers.map(({ status }) => status)).toEqual([201, 201])
})

/** What an upload of 500 bytes with the key `k` leaves whose process died so many seconds after its last renewal. */
async function plantDeadUpload({ database }: Stores, user: User, secondsAgo: number) {
  const ownerId = userIdOf(user)
  const keyId = keyIdOf(ownerId, 'file', 'k')
  const renewedAt = new Date(Date.now() - secondsAgo * 1000)
  await database.commit((write) => {
    createPendingPhoto(write, database, {
      id: `dead-${ownerId}`,
      ownerId,
      objectName: objectName(ownerId, `dead-${ownerId}`),
      reservedBytes: 500,
      removeAfter: new Date(renewedAt.getTime() + 900_000),
      keyId,
    })
    write.create(keyDocument(database, keyId), {
      user_id: ownerId,
      state: 'running',
      attempt_id: `dead-${ownerId}`,
      lease_until: leaseUntil(renewedAt),
      received_sha256: '',
      replays: 0,
      photo: null,
      purge_at: new Date(Date.now() + 86_400_000),
    })
    write.update(usageDocument(database, ownerId), { reserved_count: 1, reserved_bytes: 500 })
  })
}

test('a key whose process died is held for 60 s', async ({ app, user }) => {
  await plantDeadUpload(app, user, 50)

  const answer = await upload(app, user, pngOf(500), { key: 'k' })

  expect([answer.status, answer.body['code']]).toEqual([409, 'idempotency_key_in_use'])
})

test('after 60 s a repeat takes the place of a process that died, and what that held is free', async ({
  app,
  user,
}) => {
  await plantDeadUpload(app, user, 61)

  const answer = await upload(app, user, pngOf(500), { key: 'k' })

  const stored = await storedFor(app, user)
  expect(answer.status).toBe(201)
  expect(stored).toEqual({
    ...onlyStored(user, [photoOf(answer)]),
    orphans: [`dead-${userIdOf(user)}`],
  })
})
