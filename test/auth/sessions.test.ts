import { describe, expect } from 'vitest'
import { call, randomName, text } from '../app.ts'
import { startWithHeldCall } from './held-call.ts'
import {
  age,
  changeSession,
  claim,
  logIn,
  refresh,
  register,
  sessionIdOf,
  storedSession,
  test,
  tokensOf,
  useToken,
} from './local.ts'

const DAY = 86_400_000
const MINUTE = 60_000

describe('refresh', () => {
  test('SES-03 rotates both tokens, slides the idle time and never the absolute one', async ({
    local,
  }) => {
    const { url } = local
    const first = tokensOf(await register(url, randomName()))

    await age(local, first.access, 29 * DAY)
    const { authTime } = await storedSession(local, first.access)
    const second = tokensOf(await refresh(url, first.refresh))
    expect(second.refresh).not.toBe(first.refresh)
    expect(claim(second.access, 'gen')).toBe(2)
    expect(claim(second.access, 'auth_time')).toBe(Math.floor(authTime.getTime() / 1000))

    const idle = tokensOf(await register(url, randomName()))
    await age(local, idle.access, 31 * DAY)
    expect((await refresh(url, idle.refresh)).body['code']).toBe('session_ended')

    let daily = second
    for (let day = 29; day < 180; day += 15) {
      await age(local, daily.access, 15 * DAY)
      const answer = await refresh(url, daily.refresh)
      if (day + 15 < 180) daily = tokensOf(answer)
      else expect(answer.body['code']).toBe('session_ended')
    }
  })

  test('SES-04 gives the same refresh token again after a lost reply, however late', async ({
    local,
  }) => {
    const { url } = local
    for (const wait of [0, 5 * MINUTE, 5 * 60 * MINUTE]) {
      const first = tokensOf(await register(url, randomName()))
      const lost = tokensOf(await refresh(url, first.refresh))

      await age(local, first.access, wait)
      const again = await refresh(url, first.refresh)

      expect(again.status).toBe(200)
      expect(text(again, 'refresh_token')).toBe(lost.refresh)
      expect(claim(text(again, 'access_token'), 'dlv')).toBe(wait === 0 ? 1 : 2)
      expect((await useToken(url, text(again, 'access_token'))).status).toBe(200)
      expect((await storedSession(local, first.access)).confirmedGeneration).toBe(2)
    }
  })

  test('SES-05 of ten parallel requests with one token on two instances gives ten answers and one successor', async ({
    local,
  }) => {
    const other = await local.second()
    const first = tokensOf(await register(local.url, randomName()))

    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        refresh(index % 2 === 0 ? local.url : other.url, first.refresh),
      ),
    )

    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect(new Set(answers.map((answer) => text(answer, 'refresh_token'))).size).toBe(1)
    expect((await storedSession(local, first.access)).generation).toBe(2)
    for (const answer of answers) {
      expect((await useToken(local.url, text(answer, 'access_token'))).status).toBe(200)
    }
  })

  test('of a session that a logout ends meanwhile is refused, and the session stays ended', async ({
    local,
  }) => {
    const first = tokensOf(await register(local.url, randomName()))
    const slow = await startWithHeldCall(local, 'Commit', 1)
    const overtaken = refresh(slow.url, first.refresh)
    await slow.reached()

    const logout = await call(local.url, 'POST', '/logout/access', { token: first.access })
    slow.letGo()
    const late = await overtaken
    await slow.close()

    expect(logout.status).toBe(200)
    expect([late.status, late.body['code']]).toEqual([401, 'session_ended'])
    expect((await useToken(local.url, first.access)).status).toBe(401)
    expect((await storedSession(local, first.access)).revokedAt).toBeDefined()
  })

  test('that was overtaken by two later ones of its app ends nothing, though nobody told that the app hung up', async ({
    local,
  }) => {
    const first = tokensOf(await register(local.url, randomName()))
    const slow = await startWithHeldCall(local, 'BatchGetDocuments', 1)
    const overtaken = refresh(slow.url, first.refresh)
    await slow.reached()

    const second = tokensOf(await refresh(local.url, first.refresh))
    const third = tokensOf(await refresh(local.url, second.refresh))
    slow.letGo()
    const late = await overtaken
    await slow.close()

    expect([late.status, late.body['code']]).toEqual([503, 'unavailable'])
    expect((await useToken(local.url, third.access)).status).toBe(200)
    expect((await refresh(local.url, third.refresh)).status).toBe(200)
  })

  test('SES-06 ends the session and no other when a token comes again that cannot', async ({
    local,
  }) => {
    const { url } = local
    const username = randomName()
    const spared = tokensOf(await register(url, username))

    const older = tokensOf(await logIn(url, username))
    const second = tokensOf(await refresh(url, older.refresh))
    const third = tokensOf(await refresh(url, second.refresh))
    const byOlder = await refresh(url, older.refresh)

    const seen = tokensOf(await logIn(url, username))
    const successor = tokensOf(await refresh(url, seen.refresh))
    await useToken(url, successor.access)
    await age(local, seen.access, MINUTE)
    const byPredecessor = await refresh(url, seen.refresh)

    const lost = tokensOf(await logIn(url, username))
    const replaced = tokensOf(await refresh(url, lost.refresh))
    await age(local, lost.access, MINUTE)
    const asked = tokensOf(await refresh(url, lost.refresh))
    const next = tokensOf(await refresh(url, asked.refresh))
    const byAccessToken = await useToken(url, replaced.access)

    for (const answer of [byOlder, byPredecessor, byAccessToken]) {
      expect(answer.status).toBe(401)
      expect(answer.body['code']).toBe('refresh_token_reused')
      expect(answer.body['sign_in_again']).toBe(true)
    }
    for (const { access, refresh: token } of [third, successor, next]) {
      expect((await refresh(url, token)).body['code']).toBe('session_ended')
      expect((await useToken(url, access)).body['code']).toBe('session_ended')
    }
    expect((await useToken(url, spared.access)).status).toBe(200)
    await expect.poll(() => local.process.output()).toMatch(/refresh_reuse/)
  })

  test('SES-07 refuses a token that we never made, and the session goes on', async ({ local }) => {
    const { url } = local
    let tokens = tokensOf(await register(url, randomName()))
    for (let turn = 0; turn < 6; turn += 1) tokens = tokensOf(await refresh(url, tokens.refresh))
    const bytes = Buffer.from(tokens.refresh.slice('wmr_'.length), 'base64url')

    const forged = Buffer.from(bytes)
    forged.writeUInt32BE(forged.readUInt32BE(32) - 5, 32)
    crypto.getRandomValues(forged.subarray(36))
    const tampered = Buffer.from(bytes)
    tampered.writeUInt8((tampered.at(-1) ?? 0) ^ 1, tampered.length - 1)
    const before = await storedSession(local, tokens.access)

    for (const token of [forged, tampered]) {
      const answer = await refresh(url, `wmr_${token.toString('base64url')}`)
      expect(answer.status).toBe(401)
      expect(answer.body).toMatchObject({ code: 'token_invalid', sign_in_again: true })
    }
    expect(await storedSession(local, tokens.access)).toEqual(before)
    expect((await refresh(url, tokens.refresh)).status).toBe(200)
  })

  test('SES-12 tells only the holder of an authentic token more than that it is invalid', async ({
    local,
  }) => {
    const { url } = local
    const ended = tokensOf(await register(url, randomName()))
    await call(url, 'POST', '/logout/refresh', { token: ended.refresh })
    const expired = tokensOf(await register(url, randomName()))
    await age(local, expired.access, 31 * DAY)
    const bytes = Buffer.from(ended.refresh.slice('wmr_'.length), 'base64url')
    const unknown = `wmr_${Buffer.from(bytes.map((byte) => byte ^ 255)).toString('base64url')}`
    const codeOf = async (token: string) => {
      const { status, body } = await refresh(url, token)
      return { status, code: body['code'], again: body['sign_in_again'] }
    }

    const endings = [await codeOf(ended.refresh), await codeOf(expired.refresh)]
    const others = []
    for (const token of [unknown, 'nonsense', 'non sense', '', ended.access]) {
      others.push(await codeOf(token))
    }
    const missing = await call(url, 'POST', '/token/refresh')

    for (const shown of endings) {
      expect(shown).toEqual({ status: 401, code: 'session_ended', again: true })
    }
    for (const shown of others) {
      expect(shown).toEqual({ status: 401, code: 'token_invalid', again: true })
    }
    expect(missing.body).toMatchObject({ status: 401, code: 'token_missing' })
  })

  test('takes the token of the body before that of the header', async ({ local }) => {
    const tokens = tokensOf(await register(local.url, randomName()))

    const answer = await call(local.url, 'POST', '/token/refresh', {
      token: tokens.access,
      json: { refresh_token: tokens.refresh },
    })

    expect(answer.status).toBe(200)
  })

  test('is refused from the 61st time within a minute on, and signs nobody out', async ({
    local,
  }) => {
    const tokens = tokensOf(await register(local.url, randomName()))
    let current = tokens.refresh
    for (let turn = 0; turn < 60; turn += 1) {
      current = text(await refresh(local.url, current), 'refresh_token')
    }

    const answer = await refresh(local.url, current)

    expect(answer.status).toBe(429)
    expect(answer.body['detail']).toBe('60 per 1 minute')
    await changeSession(local, tokens.access, { refreshHits: new Uint8Array() })
    expect((await refresh(local.url, current)).status).toBe(200)
  })
})

describe('the session of a restored backup', () => {
  test('is over for tokens that are younger than it', async ({ local }) => {
    const first = tokensOf(await register(local.url, randomName()))
    const backup = await storedSession(local, first.access)
    const second = tokensOf(await refresh(local.url, first.refresh))
    await changeSession(local, first.access, backup)

    expect((await refresh(local.url, second.refresh)).body['code']).toBe('session_ended')
    expect((await useToken(local.url, second.access)).body['code']).toBe('session_ended')
    expect(sessionIdOf(second.access)).toBe(backup.id)
    expect((await refresh(local.url, first.refresh)).status).toBe(200)
  })
})
