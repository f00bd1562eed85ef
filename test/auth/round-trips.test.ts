import { describe, expect } from 'vitest'
import { call, randomName } from '../app.ts'
import {
  callsDuring,
  logIn,
  PASSWORD,
  refresh,
  register,
  test,
  tokensOf,
  useToken,
} from './local.ts'

const READ = 'BatchGetDocuments'
const LIST = 'RunQuery'
const WRITE = 'Commit'

describe('round trips to Firestore', () => {
  test('of each call are those of the contract, without contention', async ({ local }) => {
    const { url } = local
    const username = randomName()
    await register(url, randomName())
    await logIn(url, randomName())
    const during = (work: () => Promise<unknown>) => callsDuring(local, work)

    const registration = await during(() => register(url, username))
    const taken = await during(() => register(url, username))
    const login = await during(() => logIn(url, username))
    const wrong = await during(() => logIn(url, username, { password: 'not the password' }))
    const tokens = tokensOf(await logIn(url, username))
    const firstUse = await during(() => useToken(url, tokens.access))
    const use = await during(() => useToken(url, tokens.access))
    const rotation = await during(() => refresh(url, tokens.refresh))
    const repetition = await during(() => refresh(url, tokens.refresh))
    const logoutAccess = await during(() =>
      call(url, 'POST', '/logout/access', { token: tokens.access }),
    )
    const again = await during(() => call(url, 'POST', '/logout/access', { token: tokens.access }))
    const other = tokensOf(await logIn(url, username, { password: PASSWORD }))
    const logoutRefresh = await during(() =>
      call(url, 'POST', '/logout/refresh', { token: other.refresh }),
    )
    const keys = await during(() => call(url, 'GET', '/.well-known/jwks.json'))
    const forged = await during(() => useToken(url, `${tokens.access.slice(0, -4)}AAAA`))

    expect(registration).toEqual([READ, WRITE, WRITE])
    expect(taken).toEqual([READ, WRITE, WRITE])
    expect(login[0]).toBe(READ)
    expect(login.slice(1, 3).toSorted()).toEqual([WRITE, LIST])
    expect(login.slice(3)).toEqual([WRITE])
    expect(wrong.toSorted()).toEqual([READ, WRITE, WRITE, LIST].toSorted())
    expect(firstUse).toEqual([READ, WRITE, LIST])
    expect(use).toEqual([READ, LIST])
    expect(rotation).toEqual([READ, WRITE])
    expect(repetition).toEqual([READ, WRITE])
    expect(logoutAccess).toEqual([READ, WRITE])
    expect(again).toEqual([READ])
    expect(logoutRefresh).toEqual([READ, WRITE])
    expect(keys).toEqual([])
    expect(forged).toEqual([])
  })
})
