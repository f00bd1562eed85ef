import { describe, expect } from 'vitest'
import { call, randomName } from '../app.ts'
import { type Local, logIn, PASSWORD, register, test, tokensOf } from './local.ts'

describe('registration', () => {
  test('AUTH-04 folds names that are the same, and refuses what is not ASCII then', async ({
    local,
  }) => {
    const suffix = randomName().slice(5)
    const spellings = [`alice${suffix}`, `ALICE${suffix}`, `Ａlice${suffix}`, `ａｌｉｃｅ${suffix}`]
    const refused = [
      'аlice',
      'al\u200dice',
      'alice\0',
      'ali ce',
      '../x',
      '__x__',
      'al',
      'a'.repeat(65),
      'ſſſ\u0345',
      '',
    ]

    const taken = []
    for (const name of spellings) taken.push((await register(local.url, name)).status)
    const answers = []
    for (const name of refused) answers.push(await register(local.url, name))
    const login = await logIn(local.url, spellings[2] ?? '')

    expect(taken).toEqual([201, 409, 409, 409])
    for (const answer of answers) {
      expect(answer.status).toBe(400)
      expect(answer.body).toMatchObject({
        code: 'invalid_request',
        errors: [{ field: 'username' }],
      })
    }
    expect(login.body['message']).toBe(`Logged in as alice${suffix}`)
  })

  test('AUTH-07 takes no role, id or prototype from a body, and there is no account before it', async ({
    local,
  }) => {
    const username = randomName()
    const bodies = [
      { role: 'admin' },
      { uid: 'x' },
      { admin: true },
      { createdAt: 0 },
      { constructor: { prototype: { role: 'admin' } } },
    ].map((more) => JSON.stringify({ username, password: PASSWORD, ...more }))
    bodies.push(`{"username":"${username}","password":"${PASSWORD}","__proto__":{"role":"admin"}}`)

    const answers = []
    for (const body of bodies) {
      const headers = { 'content-type': 'application/json' }
      answers.push(await call(local.url, 'POST', '/registration', { body, headers }))
    }
    const registered = await register(local.url, username)
    const admins = await local.database
      .client()
      .collection('users')
      .where('role', '==', 'admin')
      .get()
    const users = await call(local.url, 'GET', '/users', { token: tokensOf(registered).access })

    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(400))
    expect(registered.status).toBe(201)
    expect(users.body['code']).toBe('admin_required')
    expect(admins.size).toBe(0)
    expect(local.usersAtStart).toBe(0)
  })
})

describe('a new password', () => {
  const withPassword = (local: Local, password: string, username = randomName()) =>
    call(local.url, 'POST', '/registration', { json: { username, password } })

  test('PW-01 counts code points, has 8 to 1,024 bytes and is never cut', async ({ local }) => {
    const long = 'x'.repeat(1_023)
    const username = randomName()

    expect((await withPassword(local, `${'🦊'.repeat(63)}🐢`)).status).toBe(201)
    expect((await withPassword(local, 'x🦊y🐢z🦉w')).body['code']).toBe('invalid_request')
    expect((await withPassword(local, 'x🦊y🐢z🦉wq')).status).toBe(201)
    expect((await withPassword(local, `${long}ab`)).body).toMatchObject({
      status: 400,
      errors: [{ field: 'password' }],
    })
    expect((await withPassword(local, `${long}a`, username)).status).toBe(201)
    expect((await logIn(local.url, username, { password: `${long}b` })).status).toBe(401)
    expect((await logIn(local.url, username, { password: `${long}a` })).status).toBe(200)
    expect((await logIn(local.url, username, { password: `${long}ab` })).status).toBe(400)
  })

  test('PW-02 is any Unicode in NFC, with its case and spaces, but unpaired surrogates and NUL', async ({
    local,
  }) => {
    const username = randomName()
    expect((await withPassword(local, ' Café au lait ', username)).status).toBe(201)
    const login = async (password: string) =>
      (await logIn(local.url, username, { password })).status

    expect(await login(' Cafe\u0301 au lait ')).toBe(200)
    expect(await login('Café au lait')).toBe(401)
    expect(await login(' café au lait ')).toBe(401)
    for (const lone of [
      'a\\ud800 and more of it',
      '\\udc00 and more of it',
      'with \\u0000 in it',
    ]) {
      const body = `{"username":"${randomName()}","password":"${lone}"}`
      const headers = { 'content-type': 'application/json' }
      for (const path of ['/registration', '/login']) {
        expect((await call(local.url, 'POST', path, { body, headers })).status).toBe(400)
      }
    }
  })

  test('PW-03 is not among the common ones, nor the name with digits', async ({ local }) => {
    const username = `quentin${randomName().slice(5, 11)}`
    const common = [
      'password1234567',
      'wowmedia',
      'WowMedia2026!',
      'PASSWORD',
      'qwertyuiop',
      '12345678901234567890',
      username,
      `${username.toUpperCase()}123`,
    ]

    for (const password of common) {
      const answer = await withPassword(local, password, username)
      expect([password, answer.status, answer.body['code']]).toEqual([
        password,
        422,
        'password_too_common',
      ])
    }
    expect((await withPassword(local, 'quiet tortoise at noon', username)).status).toBe(201)
  })
})
