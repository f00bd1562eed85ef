import { readdir, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type StorageServer, startStorage } from '../../infra/local/storage/server.ts'
import { freePort, startNode } from '../processes.ts'
import { bytes, insertPath, newDirectory, objectPath } from './storage-target.ts'

const CHILD = 'test/contract/storage-child.ts'

let dataDir = ''
beforeEach(async () => {
  dataDir = await newDirectory()
})
afterEach(async () => {
  vi.useRealTimers()
  await rm(dataDir, { recursive: true, force: true })
})

async function makeBucket(server: StorageServer): Promise<void> {
  await fetch(`${server.url}/storage/v1/b`, { method: 'POST', body: '{"name":"kept"}' })
}

async function put(server: StorageServer, name: string, body: Buffer | string): Promise<string> {
  const path = insertPath('kept', name)
  const answer = await fetch(server.url + path, { method: 'POST', body })
  const resource: { generation: string } = JSON.parse(await answer.text())
  return resource.generation
}

async function read(server: StorageServer, name: string): Promise<Buffer> {
  const answer = await fetch(`${server.url}${objectPath('kept', name)}?alt=media`)
  return Buffer.from(await answer.arrayBuffer())
}

/** Resolves with the error code of a connection attempt, or `connected`. */
function tryConnect(port: number, host: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect({ port, host, timeout: 2000 })
  socket.once('connect', () => resolve('connected'))
  socket.once('timeout', () => resolve('timeout'))
  socket.once('error', (error) => resolve('code' in error ? String(error.code) : error.message))
  return promise.finally(() => socket.destroy())
}

describe('one server per data directory', () => {
  test('P1 a second one in the same process is refused', async () => {
    const server = await startStorage({ dataDir })

    await expect(startStorage({ dataDir })).rejects.toThrow(`already uses ${dataDir}`)
    await server.close()
    await (await startStorage({ dataDir })).close()
  })

  test('P1 a second process ends with one clear line', async () => {
    const server = await startStorage({ dataDir })

    const second = startNode([CHILD, dataDir])
    const code = await second.ended
    await server.close()

    expect(code).toBe(1)
    expect(second.output()).toBe(
      `Another Cloud Storage server already uses ${dataDir}; stop it first.\n`,
    )
  })

  test('P1 after kill -9 the directory is free at once', async () => {
    const first = startNode([CHILD, dataDir])
    await first.line(/listening at/)

    await first.stop('SIGKILL')

    const server = await startStorage({ dataDir })
    expect(server.port).toBeGreaterThan(0)
    await server.close()
  })
})

describe('the address', () => {
  test('P3 is on the loopback only', async () => {
    const server = await startStorage({ dataDir })
    const others = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4')
      .map(({ address }) => address)

    const outside = await Promise.all(
      ['127.0.0.2', ...others].map((host) => tryConnect(server.port, host)),
    )
    const inside = await tryConnect(server.port, '127.0.0.1')
    await server.close()

    expect(inside).toBe('connected')
    expect(outside).not.toContain('connected')
    await expect(startStorage({ dataDir, host: '0.0.0.0' })).rejects.toThrow('no loopback address')
  })

  test('P5 that is taken is a clear error, and the directory stays free', async () => {
    const port = await freePort()
    const other = await newDirectory()
    const first = await startStorage({ dataDir: other, port })

    await expect(startStorage({ dataDir, port })).rejects.toMatchObject({ code: 'EADDRINUSE' })

    const second = await startStorage({ dataDir })
    await Promise.all([first.close(), second.close()])
    await rm(other, { recursive: true })
  })
})

test('P4 close ends although clients hold idle, sending and reading connections', async () => {
  const server = await startStorage({ dataDir })
  await makeBucket(server)
  await put(server, 'large', bytes(8_000_000))
  const sending = request(server.url + insertPath('kept', 'half'), {
    method: 'POST',
    headers: { 'Content-Length': 1_000_000 },
  })
  sending.on('error', () => undefined)
  await new Promise((resolve) => sending.write(bytes(1000), resolve))
  const reading = await fetch(`${server.url}${objectPath('kept', 'large')}?alt=media`)

  await server.close()

  await expect(fetch(server.url)).rejects.toThrow()
  await expect(reading.arrayBuffer()).rejects.toThrow()
  expect(await readdir(join(dataDir, 'tmp'))).toEqual([])
})

test('a data directory that breaks under the server is 500 and a line in the log', async () => {
  const lines: string[] = []
  const server = await startStorage({ dataDir, log: (line) => lines.push(line) })
  await makeBucket(server)
  await rm(join(dataDir, 'tmp'), { recursive: true })

  const upload = fetch(server.url + insertPath('kept', 'a'), {
    method: 'POST',
    body: bytes(5_000_000),
  })

  expect((await upload).status).toBe(500)
  expect(lines).toEqual([expect.stringContaining('ENOENT')])
  await server.close()
})

test('what is overwritten or deleted leaves the disk', async () => {
  const server = await startStorage({ dataDir })
  await makeBucket(server)
  await put(server, 'a', 'first')
  await put(server, 'a', 'second')
  await put(server, 'b', 'third')
  await fetch(server.url + objectPath('kept', 'b'), { method: 'DELETE' })

  await expect.poll(async () => (await filesIn(join(dataDir, 'blobs'))).length).toBe(1)
  await server.close()
})

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}

describe('a restart', () => {
  test('P6 finds what was there, and generations go on although the clock went back', async () => {
    const content = bytes(100_000)
    const first = await startStorage({ dataDir })
    await makeBucket(first)
    const before = await put(first, 'a', content)
    await first.close()

    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2020-01-01') })
    const second = await startStorage({ dataDir })
    const kept = await read(second, 'a')
    const after = await put(second, 'a', 'new')
    await second.close()

    expect(kept.equals(content)).toBe(true)
    expect(Number(after)).toBeGreaterThan(Number(before))
  })

  test('a resumable session goes on', async () => {
    const content = bytes(400_000)
    const first = await startStorage({ dataDir })
    await makeBucket(first)
    const start = await fetch(first.url + insertPath('kept', 'a', 'resumable'), { method: 'POST' })
    const location = start.headers.get('location') ?? ''
    await send(location, 'bytes 0-262143/*', content.subarray(0, 262_144))
    await first.close()

    const second = await startStorage({ dataDir })
    const url = location.replace(first.url, second.url)
    const asked = await send(url, 'bytes */*')
    const last = await send(url, 'bytes 262144-399999/400000', content.subarray(262_144))
    const kept = await read(second, 'a')
    await second.close()

    expect([asked.status, asked.headers.get('range')]).toEqual([308, 'bytes=0-262143'])
    expect(last.status).toBe(200)
    expect(kept.equals(content)).toBe(true)
  })

  test('an abandoned session is gone after a week, with what it stored', async () => {
    const first = await startStorage({ dataDir })
    await makeBucket(first)
    const start = await fetch(first.url + insertPath('kept', 'a', 'resumable'), { method: 'POST' })
    await send(start.headers.get('location') ?? '', 'bytes 0-9/*', bytes(10))
    await first.close()
    const stored = await readdir(join(dataDir, 'tmp'))

    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 8 * 24 * 3600 * 1000 })
    const second = await startStorage({ dataDir })
    await second.close()

    expect(stored).toHaveLength(1)
    expect(await readdir(join(dataDir, 'tmp'))).toEqual([])
  })
})

const send = (url: string, range: string, body = Buffer.alloc(0)) =>
  fetch(url, { method: 'PUT', headers: { 'Content-Range': range }, body })
