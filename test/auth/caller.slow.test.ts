import { describe, expect } from 'vitest'
import { sessionFields } from '../../shared/store/session-fields.ts'
import { randomName } from '../app.ts'
import { changeSession, register, storedSession, test, tokensOf, useToken } from './local.ts'

describe('an access token', () => {
  test('TOK-09 opens nothing without its session, its user, their epoch and the store', {
    timeout: 120_000,
  }, async ({ local }) => {
    const { url, database } = local
    const { access } = tokensOf(await register(url, randomName()))
    const stored = await storedSession(local, access)
    const user = database.client().doc(`users/${stored.userId}`)
    const kept = (await user.get()).data() ?? {}
    const session = database.client().doc(`sessions/${stored.id}`)
    const codeNow = async () => (await useToken(url, access)).body['code'] ?? 'served'
    const past = new Date(Date.now() - 1)
    const codes: unknown[] = [await codeNow()]

    for (const changes of [
      { revokedAt: past },
      { expiresAt: past },
      { idleExpiresAt: past },
      { sessionEpoch: 1 },
      { userId: 'KmQCO1Bl2UvSRYcwBxtIfA' },
    ]) {
      await changeSession(local, access, changes)
      codes.push(await codeNow())
      await changeSession(local, access, stored)
    }
    await session.update({ gen: 'damaged' })
    codes.push(await codeNow())
    await session.delete()
    codes.push(await codeNow())
    await session.set(sessionFields(stored))
    await user.delete()
    codes.push(await codeNow())
    await user.set({ ...kept, deleting_at: past })
    codes.push(await codeNow())
    await user.set(kept)
    codes.push(await codeNow())

    expect(codes).toEqual(['served', ...Array(9).fill('session_ended'), 'served'])
    const cut = await local.startInstance({ FIRESTORE_EMULATOR_HOST: '127.0.0.1:9' })
    const down = await useToken(cut.url, access)
    expect([down.status, down.body['code']]).toEqual([503, 'unavailable'])
    expect(Number(down.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    await cut.process.stop()
  })
})
