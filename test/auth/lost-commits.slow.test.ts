import { describe, expect } from 'vitest'
import { call, randomName, text } from '../app.ts'
import { logIn, refresh, register, storedSession, test, tokensOf, useToken } from './local.ts'
import { openLossyProxy } from './lossy-proxy.ts'

describe('a commit that was done and whose reply was lost', () => {
  test('counts once: a refresh rotates once, a login opens one session, a first use and a logout are done', {
    timeout: 120_000,
  }, async ({ local }) => {
    const proxy = await openLossyProxy(local.firestore)
    const { url, process } = await local.startInstance({ FIRESTORE_EMULATOR_HOST: proxy.host })
    const username = randomName()
    const first = tokensOf(await register(url, username))
    const lossy = async <T>(work: () => Promise<T>) => {
      proxy.loseReplyTo('revoke_reason')
      return await work()
    }

    const refreshed = await lossy(() => refresh(url, first.refresh))
    const generation = (await storedSession(local, first.access)).generation
    const used = await lossy(() => useToken(url, text(refreshed, 'access_token')))
    const confirmed = (await storedSession(local, first.access)).confirmedGeneration
    const login = await lossy(() => logIn(url, username))
    const listed = await useToken(local.url, text(login, 'access_token'))
    const logout = await lossy(() =>
      call(url, 'POST', '/logout/access', { token: text(login, 'access_token') }),
    )
    const after = await useToken(local.url, text(login, 'access_token'))
    const name = await local.database.client().doc(`usernames/${username}`).get()

    expect(proxy.lost()).toBe(4)
    expect([refreshed.status, generation]).toEqual([200, 2])
    expect([used.status, confirmed]).toEqual([200, 2])
    expect([login.status, name.get('logins')]).toEqual([200, 1])
    expect(listed.body['sessions']).toHaveLength(2)
    expect([logout.status, after.status]).toEqual([200, 401])
    await process.stop()
    await proxy.close()
  })
})
