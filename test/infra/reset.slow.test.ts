import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { call, newDataDir, registerUser, startApp } from '../app.ts'
import { startNode } from '../processes.ts'

async function reset(dataDir: string, ...args: readonly string[]) {
  const started = startNode(['infra/run.js', 'reset', ...args], { WOWMEDIA_DATA_DIR: dataDir })
  return { code: await started.ended, output: started.output() }
}

/** A data directory after a start, a user, a photo and a kill. */
async function used(): Promise<string> {
  const dataDir = await newDataDir()
  const app = await startApp({ dataDir })
  const { accessToken } = await registerUser(app.url)
  const body = await readFile('test/image/fixtures/camera-iphone-4s.jpg')
  const headers = { 'content-type': 'image/jpeg' }
  const answer = await call(app.url, 'POST', '/file', { token: accessToken, headers, body })
  expect(answer.status).toBe(201)
  await app.process.stop('SIGKILL')
  return dataDir
}

test('reset refuses what runs, asks, and removes all that Wowmedia made and nothing else', async () => {
  const dataDir = await used()
  const app = await startApp({ dataDir })
  const running = await reset(dataDir, '--yes')
  expect(running).toMatchObject({ code: 1, output: expect.stringMatching(/stop it first\..*\n$/) })
  await app.close()

  // Nobody answers the question: standard input has ended.
  expect(await reset(dataDir)).toMatchObject({ code: 1 })
  expect(existsSync(join(dataDir, 'firestore.db'))).toBe(true)

  expect(await reset(dataDir, '--yes')).toEqual({ code: 0, output: 'Removed.\n' })
  expect(existsSync(dataDir)).toBe(false)
  expect(await reset(dataDir, '--yes')).toEqual({ code: 0, output: 'There is nothing to reset.\n' })
}, 90_000)

test('a mistaken WOWMEDIA_DATA_DIR loses nothing of somebody else', async () => {
  const dataDir = await used()
  const others = ['notes.txt', 'tmp/draft', 'keys/id_ed25519', 'blobs/ab/photo.jpg', 'my.db', 'a/b']
  for (const file of others) {
    await mkdir(join(dataDir, file, '..'), { recursive: true })
    await writeFile(join(dataDir, file), 'mine')
  }

  const { code, output } = await reset(dataDir, '--yes')

  expect(code).toBe(0)
  expect(output).toContain('holds other files, which stay')
  const found = await readdir(dataDir, { recursive: true, withFileTypes: true })
  const files = found.filter((entry) => entry.isFile()).map(({ name }) => name)
  expect(files.toSorted()).toEqual(others.map((file) => file.split('/').at(-1)).toSorted())
}, 90_000)
