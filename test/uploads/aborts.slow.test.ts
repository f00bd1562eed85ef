import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerUser, type User } from '../app.ts'
import {
  inParallel,
  listed,
  onlyStored,
  pngOf,
  type StoredApp,
  startStoredApp,
  storedFor,
} from './stored-app.ts'

const ABORTS = process.env['FULL'] === '1' ? 1000 : 100
const PHOTO = pngOf(300_000)
const QUIET_MS = 3_000

let app: StoredApp
beforeAll(async () => {
  app = await startStoredApp()
})
afterAll(() => app.close())

async function sendAndCut(user: User, bytes: number): Promise<void> {
  const { hostname, port } = new URL(app.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  const head = [
    'POST /file HTTP/1.1',
    'Host: wowmedia',
    `Authorization: Bearer ${user.accessToken}`,
    'Content-Type: image/png',
    `Content-Length: ${PHOTO.length}`,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  await new Promise((resolve) => socket.write(PHOTO.subarray(0, bytes), resolve))
  socket.destroy()
  await once(socket, 'close')
}

/** Bytes of upload sessions that the bucket still keeps. */
async function openSessions(): Promise<readonly string[]> {
  const files = await readdir(app.dataDir, { recursive: true })
  return files.filter((name) => /[/\\]tmp[/\\]/.test(name))
}

/** Uploads that the server has logged, whatever became of them. */
function logged(): number {
  return app.process.output().match(/POST \/file \d/g)?.length ?? 0
}

test(`after ${ABORTS} aborts at random offsets only whole photos are there, and no session is left`, {
  timeout: 600_000,
}, async () => {
  const user = await registerUser(app.url)
  const before = logged()

  await inParallel(Array.from({ length: ABORTS }), 8, () =>
    sendAndCut(user, Math.floor(Math.random() * PHOTO.length)),
  )
  // On a busy machine a connection may be reset before the server has seen anything of it.
  await expect
    .poll(() => logged() - before, { timeout: 300_000 })
    .toBeGreaterThanOrEqual(ABORTS * 0.98)
  // Some may still be on their way: nothing is left once no more have come for a while.
  const quiet = async () => {
    const seen = logged()
    await pause(QUIET_MS)
    return { more: logged() - seen, stored: await storedFor(app, user) }
  }
  await expect.poll(quiet, { timeout: 300_000 }).toEqual({ more: 0, stored: onlyStored(user, []) })
  await expect.poll(openSessions, { timeout: 60_000 }).toEqual([])

  expect(await listed(app, user)).toEqual([])
})
