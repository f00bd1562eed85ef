import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { call, registerUser, type User } from '../app.ts'
import { type FaultyApp, startFaultyApp, startInstance } from './faulty-app.ts'
import { minimalPng } from './photos.ts'
import { openStored, type Stored } from './stored.ts'

const MEBIBYTE = 1024 * 1024
const LARGE = minimalPng(1500, 7)

let app: FaultyApp
let stored: Stored
beforeAll(async () => {
  app = await startFaultyApp({ UPLOAD_LIMIT: '1000/minute' })
  stored = openStored(app.direct)
})
afterEach(() => {
  app.storage.rules.heal()
  app.firestore.rules.heal()
})
afterAll(async () => {
  await stored.close()
  await app.close()
})

const send = (user: User, body: Buffer, key?: string) =>
  call(app.url, 'POST', '/file', {
    token: user.accessToken,
    body,
    headers: {
      'content-type': 'image/png',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
  })

async function photosOf(user: User): Promise<readonly unknown[]> {
  const { body } = await call(app.url, 'GET', '/photos', { token: user.accessToken })
  return Array.isArray(body['photos']) ? body['photos'] : []
}

test('F07 a bucket that is busy twice takes the photo, one that stays busy is a 503 and stores nothing', async () => {
  const user = await registerUser(app.url)
  const before = (await stored.objects()).length

  app.storage.rules.add(/^POST .*uploadType=resumable/, { kind: 'answer', code: 503 }, { times: 2 })
  const patient = await send(user, minimalPng())
  app.storage.rules.heal()
  app.storage.rules.add(/^(POST|PUT) /, { kind: 'answer', code: 503 })
  const refused = await send(user, minimalPng(2))
  app.storage.rules.heal()

  expect(patient.status).toBe(201)
  expect(refused.status).toBe(503)
  expect(await photosOf(user)).toHaveLength(1)
  expect(await stored.objects()).toHaveLength(before + 1)
}, 90_000)

test('F08 a session that breaks at half of the bytes leaves a whole object or none', async () => {
  const user = await registerUser(app.url)
  const before = (await stored.objects()).length

  app.storage.rules.add(/^PUT /, { kind: 'cut', afterBytes: LARGE.length / 2 }, { times: 1 })
  const answer = await send(user, LARGE)

  expect([201, 503]).toContain(answer.status)
  const photos = await photosOf(user)
  expect(photos).toHaveLength(answer.status === 201 ? 1 : 0)
  expect(await stored.objects()).toHaveLength(before + photos.length)
})

test('F09 a finished object whose reply was lost is one photo', async () => {
  const user = await registerUser(app.url)
  const before = (await stored.objects()).length

  app.storage.rules.add(/^PUT /, { kind: 'lose-reply' }, { times: 1 })
  const answer = await send(user, LARGE)

  expect(answer.status).toBe(201)
  expect(await photosOf(user)).toHaveLength(1)
  expect(await stored.objects()).toHaveLength(before + 1)
})

/** Sends the head and so much of the body, then drops the connection; all of it is followed by no goodbye. */
async function abortAfter(user: User, body: Buffer, share: number, key: string): Promise<void> {
  const { hostname, port } = new URL(app.url)
  const socket = connect(Number(port), hostname)
  const head = [
    'POST /file HTTP/1.1',
    `Host: ${hostname}`,
    `Authorization: Bearer ${user.accessToken}`,
    'Content-Type: image/png',
    `Content-Length: ${body.length}`,
    `Idempotency-Key: ${key}`,
    '',
    '',
  ].join('\r\n')
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.on('error', () => undefined).on('close', () => resolve())
  socket.write(head)
  socket.write(body.subarray(0, Math.floor(body.length * share)), () => {
    setTimeout(() => socket.destroy(), 100)
  })
  await promise
}

const SHARES = [0, 0.01, 0.5, 0.99]

test('F10 a client that goes away before the last byte leaves nothing', async () => {
  const user = await registerUser(app.url)
  const before = (await stored.objects()).length

  for (const share of SHARES) await abortAfter(user, LARGE, share, `f10-${share * 100}`)

  await expect.poll(() => app.storage.open(), { timeout: 20_000 }).toBe(0)
  expect(await photosOf(user)).toEqual([])
  expect(await stored.objects()).toHaveLength(before)
})

test('F10 a client that goes away after the last byte finds its photo under the same key', async () => {
  const user = await registerUser(app.url)

  await abortAfter(user, LARGE, 1, 'f10-whole')
  await expect
    .poll(async () => (await send(user, LARGE, 'f10-whole')).status, {
      timeout: 80_000,
      interval: 2_000,
    })
    .toBeOneOf([200, 201])

  expect(await photosOf(user)).toHaveLength(1)
}, 100_000)

test('F20 of 100 parallel uploads over two instances exactly 5 pass, whoever refuses reads no body', async () => {
  const limited = await startFaultyApp()
  const user = await registerUser(limited.url)
  const second = await startInstance(limited.proxied)
  const urls = [limited.url, second.url]

  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      call(urls[index % 2] ?? '', 'POST', '/file', {
        token: user.accessToken,
        body: minimalPng(200, index),
        headers: { 'content-type': 'image/png' },
      }),
    ),
  )

  const counted = Map.groupBy(answers, ({ status }) => status)
  expect(counted.get(201)?.length).toBe(5)
  expect(counted.get(429)?.length).toBe(95)
  expect(counted.get(429)?.every(({ headers }) => Number(headers.get('retry-after')) > 0)).toBe(
    true,
  )
  await second.process.stop()
  await limited.close()
}, 120_000)

test('a large upload through the faulty network is the same bytes afterwards', async () => {
  const user = await registerUser(app.url)

  const answer = await send(user, LARGE)

  expect(answer.status).toBe(201)
  expect(LARGE.length).toBeGreaterThan(2 * MEBIBYTE)
  expect(answer.body['photo']).toMatchObject({ bytes: LARGE.length, width: 1500 })
})
