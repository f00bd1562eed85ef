import { describe, expect } from 'vitest'
import { openLoginKeys } from '../../shared/crypto/keyed-hash.ts'
import { openTokenSecrets } from '../../shared/crypto/token-secrets.ts'
import { networkOf } from '../../shared/domain/network.ts'
import { encodeHits } from '../../shared/domain/sliding-window.ts'
import { call, randomName, text } from '../app.ts'
import { type Local, logIn, PASSWORD, register, test } from './local.ts'
import { openLossyProxy } from './lossy-proxy.ts'
import { compareTimes } from './times.ts'

async function usersNamed(local: Local, username: string): Promise<number> {
  const users = local.database.client().collection('users')
  return (await users.where('username', '==', username).get()).size
}

/** Lets an address have made so many registrations just now. */
async function registeredFrom(local: Local, address: string, count: number): Promise<void> {
  const secrets = openTokenSecrets({
    TOKEN_SECRET_FILE: local.environment['TOKEN_SECRET_FILE'] ?? '',
    K_SERVICE: '',
  })
  const keys = openLoginKeys(secrets)({ username: '', address, network: networkOf(address) })
  const now = Date.now()
  const hits = Array.from({ length: count }, (_, mark) => ({ atMs: now - count + mark, mark }))
  const document = local.database.client().doc(`rate_limits/registration.${keys.address}`)
  await document.set({ hits: encodeHits(hits), purge_at: new Date(now + 7_200_000) })
}

describe('registration', () => {
  test('AUTH-03 takes as long for a taken name as for a free one, and the 101st of an address in an hour is refused', {
    timeout: 300_000,
  }, async ({ local }) => {
    const { url } = await local.startInstance({ REGISTRATION_LIMIT_PER_ADDRESS: '100/hour' })
    const from = (address: string) => (username: string) =>
      call(url, 'POST', '/registration', {
        json: { username, password: PASSWORD },
        headers: { 'x-forwarded-for': address },
      })
    const known = randomName()
    await register(local.url, known)
    const times = await compareTimes(
      () => register(local.url, known),
      () => register(local.url, randomName()),
    )
    await registeredFrom(local, '198.51.100.7', 99)

    const hundredth = await from('198.51.100.7')(randomName())
    const next = await from('198.51.100.7')(randomName())
    const taken = await from('198.51.100.7')(text(hundredth, 'message').split(' ')[1] ?? '')
    const elsewhere = await from('198.51.100.8')(randomName())

    expect(Math.abs(times.ratio - 1)).toBeLessThan(0.1)
    expect([hundredth.status, next.status, taken.status, elsewhere.status]).toEqual([
      201, 429, 429, 201,
    ])
    expect(next.body).toMatchObject({ code: 'rate_limited', detail: '100 per 1 hour' })
    expect(Number(next.headers.get('retry-after'))).toBeGreaterThan(3_000)
  })

  test('AUTH-05 of 50 parallel ones of a name on two instances makes one user', {
    timeout: 120_000,
  }, async ({ local }) => {
    const other = await local.second()
    const username = randomName()
    const attempt = async (index: number): Promise<number> => {
      const { status } = await register(index % 2 === 0 ? local.url : other.url, username)
      return status === 503 ? await attempt(index) : status
    }

    const statuses = await Promise.all(Array.from({ length: 50 }, (_, index) => attempt(index)))

    expect(statuses.filter((status) => status === 201)).toHaveLength(1)
    expect(statuses.filter((status) => status === 409)).toHaveLength(49)
    expect(await usersNamed(local, username)).toBe(1)
  })

  test('AUTH-06 whose commit was done and whose reply was lost succeeds, with one user', {
    timeout: 120_000,
  }, async ({ local }) => {
    const proxy = await openLossyProxy(local.firestore)
    const { url, process } = await local.startInstance({ FIRESTORE_EMULATOR_HOST: proxy.host })
    const username = randomName()
    const other = randomName()
    await register(url, other)

    proxy.loseReplyTo('op_id')
    const answer = await register(url, username)
    proxy.loseReplyTo('op_id')
    const taken = await register(url, other)

    expect(proxy.lost()).toBe(2)
    expect(answer.status).toBe(201)
    expect(await usersNamed(local, username)).toBe(1)
    expect(taken.status).toBe(409)
    expect((await logIn(local.url, username)).status).toBe(200)
    await process.stop()
    await proxy.close()
  })
})
