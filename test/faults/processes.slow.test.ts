import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { call, randomName, registerUser, startApp, text, type User } from '../app.ts'
import { freePort, startNode } from '../processes.ts'
import { type FaultyApp, startFaultyApp, startInstance } from './faulty-app.ts'
import { minimalPng } from './photos.ts'
import { openStored, type Stored } from './stored.ts'

const LARGE = minimalPng(1500, 3)
const PASSWORD = 'long enough secret'

let app: FaultyApp
let stored: Stored
beforeAll(async () => {
  app = await startFaultyApp()
  stored = openStored(app.direct)
})
afterAll(async () => {
  await stored.close()
  await app.close()
})

const register = (url: string, username: string) =>
  call(url, 'POST', '/registration', { json: { username, password: PASSWORD } })

function beginUpload(url: string, user: User, body: Buffer, share: number, key: string): Socket {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname).on('error', () => undefined)
  socket.write(
    [
      'POST /file HTTP/1.1',
      `Host: ${hostname}`,
      `Authorization: Bearer ${user.accessToken}`,
      'Content-Type: image/png',
      `Content-Length: ${body.length}`,
      `Idempotency-Key: ${key}`,
      '',
      '',
    ].join('\r\n'),
  )
  socket.write(body.subarray(0, Math.floor(body.length * share)))
  return socket
}

test('F11 an instance killed amid an upload leaves nothing, its place stays used and the key works later', async () => {
  const instance = await startInstance(app.proxied)
  const user = await registerUser(instance.url)
  const before = (await stored.objects()).length
  const socket = beginUpload(instance.url, user, LARGE, 0.5, 'f11')
  await expect.poll(() => stored.count('pending_photos'), { timeout: 20_000 }).toBeGreaterThan(0)

  await instance.process.stop('SIGKILL')
  socket.destroy()
  const send = (url: string) =>
    call(url, 'POST', '/file', {
      token: user.accessToken,
      body: LARGE,
      headers: { 'content-type': 'image/png', 'idempotency-key': 'f11' },
    })
  await expect
    .poll(async () => (await send(app.url)).status, { timeout: 90_000, interval: 5_000 })
    .toBe(201)
  await stored.sweepLater()

  const photos = await call(app.url, 'GET', '/photos', { token: user.accessToken })
  expect(photos.body['photos']).toHaveLength(1)
  expect(await stored.objects()).toHaveLength(before + 1)
  expect(await stored.count('pending_photos')).toBe(0)
}, 150_000)

test('F12 an instance killed before the commit of a registration leaves the name free, after it the login works', async () => {
  const [before, after] = [randomName(), randomName()]
  const instance = await startInstance(app.proxied)
  app.firestore.rules.add(/^Commit$/, { kind: 'hang' })
  const seen = app.firestore.rules.calls.length
  const lost = register(instance.url, before).catch(() => undefined)
  const committing = () => app.firestore.rules.calls.slice(seen).includes('Commit')
  await expect.poll(committing, { timeout: 20_000 }).toBe(true)
  await instance.process.stop('SIGKILL')
  await lost
  app.firestore.rules.heal()
  expect((await register(app.url, before)).status).toBe(201)

  const second = await startInstance(app.proxied)
  app.firestore.rules.add(/^Commit$/, { kind: 'delay', milliseconds: 0 })
  const users = await stored.count('users')
  const cut = register(second.url, after).catch(() => undefined)
  await expect.poll(() => stored.count('users'), { timeout: 20_000, interval: 5 }).toBe(users + 1)
  await second.process.stop('SIGKILL')
  await cut
  app.firestore.rules.heal()
  const login = await call(app.url, 'POST', '/login', {
    json: { username: after, password: PASSWORD },
  })
  expect(login.status).toBe(200)
  expect(await stored.count('users')).toBe(await stored.count('usernames'))
}, 60_000)

test('F13 two instances race for a name, a refresh token and an idempotency key, and each has one outcome', async () => {
  const second = await startInstance(app.proxied)
  const urls = [app.url, second.url]
  const each = <T>(work: (url: string) => Promise<T>) =>
    Promise.all(Array.from({ length: 8 }, (_, index) => work(urls[index % 2] ?? '')))
  const username = randomName()

  const registered = await each((url) => register(url, username))
  const [winner, ...others] = registered.filter(({ status }) => status === 201)
  expect(others).toEqual([])
  expect(registered.filter(({ status }) => status === 409)).toHaveLength(7)
  if (winner === undefined) throw new Error('nobody won')

  const refreshed = await each((url) =>
    call(url, 'POST', '/token/refresh', { token: text(winner, 'refresh_token') }),
  )
  expect(new Set(refreshed.map(({ status }) => status))).toEqual(new Set([200]))
  expect(new Set(refreshed.map((answer) => text(answer, 'refresh_token'))).size).toBe(1)

  const token = text(winner, 'access_token')
  const uploads = await each((url) =>
    call(url, 'POST', '/file', {
      token,
      body: minimalPng(300),
      headers: { 'content-type': 'image/png', 'idempotency-key': 'f13' },
    }),
  )
  expect(uploads.filter(({ status }) => status === 201)).toHaveLength(1)
  expect(uploads.every(({ status }) => [200, 201, 409].includes(status))).toBe(true)
  const photos = await call(app.url, 'GET', '/photos', { token })
  expect(photos.body['photos']).toHaveLength(1)
  await second.process.stop()
}, 60_000)

test('F18 on SIGTERM a slow login, refresh and upload finish, and the exit code is 0', async () => {
  const instance = await startInstance(app.proxied)
  const user = await registerUser(instance.url)
  app.firestore.rules.add(/./, { kind: 'delay', milliseconds: 300 })
  const json = { username: user.username, password: 'correct horse battery' }
  const running = [
    call(instance.url, 'POST', '/login', { json }),
    call(instance.url, 'POST', '/token/refresh', { token: user.refreshToken }),
    call(instance.url, 'POST', '/file', {
      token: user.accessToken,
      body: LARGE,
      headers: { 'content-type': 'image/png' },
    }),
  ]
  await expect.poll(() => app.firestore.open(), { interval: 5 }).toBeGreaterThan(2)

  const ended = instance.process.stop('SIGTERM')
  const answers = await Promise.all(running)
  app.firestore.rules.heal()

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 201])
  expect(await ended).toBe(0)
  await expect(fetch(instance.url)).rejects.toThrow()
}, 60_000)

test('F25 the servers restart in use: 503 meanwhile, then all works without restarting functions', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'wowmedia-restart-'))
  const ports = { FIRESTORE_PORT: String(await freePort()), STORAGE_PORT: String(await freePort()) }
  const cloud = () =>
    startNode(['infra/run.js', 'local-cloud'], { WOWMEDIA_DATA_DIR: dataDir, ...ports })
  const first = cloud()
  await first.line(/^METADATA_SERVER_DETECTION=none$/m)
  const pairs = [...first.output().matchAll(/^([A-Z_]+)=(.*)$/gm)]
  const environment = Object.fromEntries(pairs.map(([, name, value]) => [name ?? '', value ?? '']))
  const instance = await startInstance(environment)
  const user = await registerUser(instance.url)
  const account = async () =>
    (await call(instance.url, 'GET', '/account', { token: user.accessToken })).status

  await first.stop('SIGKILL')
  const meanwhile = await account()
  const second = cloud()
  await second.line(/^METADATA_SERVER_DETECTION=none$/m)

  expect(meanwhile).toBe(503)
  await expect.poll(account, { timeout: 30_000, interval: 500 }).toBe(200)
  await instance.process.stop()
  await second.stop()
  await rm(dataDir, { recursive: true, force: true })
}, 90_000)

const canMount = process.platform === 'linux' && process.getuid?.() === 0
if (!canMount) process.stderr.write('F17 skipped: a small disk needs root on Linux\n')

test.skipIf(!canMount)(
  'F17 a full disk is an error at once, and after room was made it works again',
  async () => {
    const disk = await mkdtemp(join(tmpdir(), 'wowmedia-disk-'))
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk])
    if (mounted.status !== 0) {
      process.stderr.write('F17 skipped: tmpfs cannot be mounted here\n')
      expect(mounted.status).not.toBe(0)
      return
    }
    onTestFinished(async () => {
      spawnSync('umount', ['-l', disk])
      await rm(disk, { recursive: true, force: true })
    })
    const filler = join(disk, 'filler')
    await writeFile(filler, Buffer.alloc(4 * 1024 * 1024))
    const small = await startApp({ dataDir: disk, env: { UPLOAD_LIMIT: '100000/minute' } })
    const user = await registerUser(small.url)
    const send = () =>
      call(small.url, 'POST', '/file', {
        token: user.accessToken,
        body: LARGE,
        headers: { 'content-type': 'image/png' },
      })
    const statuses: number[] = []
    while (!statuses.some((status) => status !== 201) && statuses.length < 12) {
      statuses.push((await send()).status)
    }

    const listed = await call(small.url, 'GET', '/photos', { token: user.accessToken })
    const photos = Array.isArray(listed.body['photos']) ? listed.body['photos'] : []

    expect(statuses.at(-1)).toBe(503)
    expect(photos).toHaveLength(statuses.length - 1)
    await rm(filler)
    await expect.poll(async () => (await send()).status, { timeout: 20_000 }).toBe(201)
    await small.close()
    spawnSync('umount', [disk])
    await rm(disk, { recursive: true, force: true })
  },
  90_000,
)
