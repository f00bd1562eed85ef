import { connect } from 'node:net'
import { describe, expect } from 'vitest'
import { call, randomName } from '../app.ts'
import { register, storedSession, test, tokensOf, useToken } from './local.ts'

/** The status line and body of a request written as it stands. */
async function sendRaw(url: string, lines: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write([...lines, 'Host: local', 'Connection: close', '', ''].join('\r\n'))
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

describe('an access token', () => {
  test('TOK-08 counts in one Authorization header only', async ({ local }) => {
    const { url } = local
    const { access } = tokensOf(await register(url, randomName()))
    const raw = (...lines: string[]) => sendRaw(url, ['GET /sessions HTTP/1.1', ...lines])

    const none = await useToken(url, '')
    const missing = await call(url, 'GET', '/sessions')
    const spaced = await useToken(url, `${access} x`)
    const inQuery = await call(url, 'GET', `/sessions?access_token=${access}`)
    const inBoth = await call(url, 'GET', `/sessions?access_token=${access}`, { token: access })
    const inCookie = await call(url, 'GET', '/sessions', { headers: { cookie: `token=${access}` } })
    const twice = await raw(`Authorization: Bearer ${access}`, `Authorization: Bearer ${access}`)
    const lower = await raw(`Authorization: bearer ${access}`)
    const admin = await call(url, 'GET', '/users', { token: access })

    for (const answer of [missing, inQuery, inCookie]) {
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="[^"]+"$/)
    }
    for (const answer of [none, spaced]) {
      expect(answer.status).toBe(401)
      expect(answer.body['code']).toBe('token_invalid')
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
    }
    expect(inBoth.status).toBe(400)
    expect(twice).toMatch(/^HTTP\/1\.1 400 [\s\S]*invalid_request/)
    expect(lower).toMatch(/^HTTP\/1\.1 200 /)
    expect(admin.status).toBe(403)
  })

  test('of the user who stayed when all others were deleted goes on, theirs do not', async ({
    local,
  }) => {
    const { url, database } = local
    const stayed = tokensOf(await register(url, randomName()))
    const gone = tokensOf(await register(url, randomName()))
    const { userId } = await storedSession(local, stayed.access)
    const mark = database.client().doc('deletions/all')

    await mark.set({ before: new Date(), except: userId })
    const codes = [await useToken(url, stayed.access), await useToken(url, gone.access)]
    await mark.delete()

    expect(codes.map(({ status }) => status)).toEqual([200, 401])
  })
})
