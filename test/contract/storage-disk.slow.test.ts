import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type StorageServer, startStorage } from '../../infra/local/storage/server.ts'
import { startNode } from '../processes.ts'
import {
  bytes,
  codeOf,
  insertPath,
  newDirectory,
  objectPath,
  openClient,
} from './storage-target.ts'

const run = promisify(execFile)
const canMount = process.platform === 'linux' && process.getuid?.() === 0
if (!canMount) process.stdout.write('full disk skipped: a small disk needs Linux and root\n')

const MIB = 1024 * 1024

describe.skipIf(!canMount)('on a full disk', () => {
  let disk = ''
  let server: StorageServer
  beforeEach(async () => {
    disk = await newDirectory()
    await run('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk])
    server = await startStorage({ dataDir: join(disk, 'storage') })
    await fetch(`${server.url}/b`, { method: 'POST', body: '{"name":"small"}' })
  })
  afterEach(async () => {
    await server.close()
    await run('umount', [disk])
    await rm(disk, { recursive: true })
  })

  const put = (name: string, body: Buffer<ArrayBuffer>) =>
    fetch(server.url + insertPath('small', name), { method: 'POST', body })
  const read = async (name: string) => {
    const answer = await fetch(`${server.url}${objectPath('small', name)}?alt=media`)
    return Buffer.from(await answer.arrayBuffer())
  }
  const remove = (name: string) =>
    fetch(server.url + objectPath('small', name), { method: 'DELETE' })

  test('an upload is 507 at once, and what was acknowledged stays', async () => {
    const contents = Array.from({ length: 20 }, () => Buffer.from(bytes(MIB)))
    const statuses: number[] = []
    for (const [at, content] of contents.entries()) {
      statuses.push((await put(`photo-${at}`, content)).status)
    }

    const stored = statuses.filter((status) => status === 200).length
    expect(new Set(statuses)).toEqual(new Set([200, 507]))
    expect(stored).toBeGreaterThan(10)
    for (let at = 0; at < stored; at++) {
      expect((await read(`photo-${at}`)).equals(contents[at] ?? Buffer.alloc(0))).toBe(true)
    }
    expect((await remove('photo-0')).status).toBe(204)
    expect((await remove('photo-1')).status).toBe(204)
    expect((await put('again', Buffer.from(bytes(MIB)))).status).toBe(200)
  })

  test('the client library does not repeat it for minutes', async () => {
    const client = await openClient({ apiEndpoint: server.url }, {})
    const file = client.bucket('small').file('too-large')
    const content = bytes(20 * MIB)

    expect(await codeOf(file.save(content, { resumable: false, validation: false }))).toBe(507)
    expect(await codeOf(file.save(content, { resumable: true, validation: false }))).toBe(507)
  })

  test('a session keeps what it had and goes on where there is room', async () => {
    const content = Buffer.from(bytes(3 * MIB))
    const total = content.length
    const started = await fetch(server.url + insertPath('small', 'x', 'resumable'), {
      method: 'POST',
    })
    const location = started.headers.get('location') ?? ''
    const send = (from: number, to: number) =>
      fetch(location, {
        method: 'PUT',
        headers: { 'Content-Range': `bytes ${from}-${to - 1}/${total}` },
        body: content.subarray(from, to),
      })
    await send(0, 262_144)
    await writeFile(join(disk, 'filler'), Buffer.alloc(16 * MIB)).catch(() => undefined)

    const refused = await send(262_144, total)
    const asked = await fetch(location, {
      method: 'PUT',
      headers: { 'Content-Range': 'bytes */*' },
    })
    await rm(join(disk, 'filler'))
    const done = await send(262_144, total)

    expect([refused.status, asked.status]).toEqual([507, 308])
    expect(asked.headers.get('range')).toBe('bytes=0-262143')
    expect(done.status).toBe(200)
    expect((await read('x')).equals(content)).toBe(true)
  })

  test('a change of metadata is 507, too, and later works', async () => {
    await put('x', Buffer.from(bytes(MIB)))
    await writeFile(join(disk, 'filler'), Buffer.alloc(16 * MIB)).catch(() => undefined)
    const patch = () =>
      fetch(server.url + objectPath('small', 'x'), {
        method: 'PATCH',
        body: JSON.stringify({ metadata: { a: 'x'.repeat(8000) } }),
      })
    const statuses: number[] = []
    for (let at = 0; at < 400 && !statuses.includes(507); at++) {
      statuses.push((await patch()).status)
    }

    await rm(join(disk, 'filler'))

    expect(statuses.at(-1)).toBe(507)
    expect((await patch()).status).toBe(200)
  })
})

const hasLimits = process.platform !== 'win32'
if (!hasLimits) process.stdout.write('file size limit skipped: Windows has none\n')

test.skipIf(!hasLimits)('where no file may grow beyond 1 MiB a larger upload is 507', async () => {
  const dataDir = await newDirectory()
  // Ignored, the signal of the limit becomes the error EFBIG.
  const limited = 'trap "" XFSZ; ulimit -f 2048; exec "$0" test/contract/storage-child.ts "$1"'
  const child = spawn('sh', ['-c', limited, process.execPath, dataDir])
  const [line] = await once(child.stdout, 'data')
  const url = /listening at (\S+),/.exec(String(line))?.[1] ?? ''
  await fetch(`${url}/b`, { method: 'POST', body: '{"name":"small"}' })
  const upload = async (name: string, size: number) =>
    (await fetch(url + insertPath('small', name), { method: 'POST', body: bytes(size) })).status

  const statuses = [await upload('a', 100_000), await upload('b', 4 * MIB), await upload('c', 9)]
  const { items } = JSON.parse(await (await fetch(`${url}/b/small/o`)).text())
  child.kill()
  await once(child, 'close')
  await rm(dataDir, { recursive: true })

  expect(statuses).toEqual([200, 507, 200])
  expect(items.map(({ name }: { name: string }) => name)).toEqual(['a', 'c'])
})

test('memory stays flat with large uploads', { timeout: 60_000 }, async () => {
  const peak = async (parallel: number, size: number) => {
    const dataDir = await newDirectory()
    const child = startNode(['test/contract/storage-child.ts', dataDir])
    const [, url = ''] = await child.line(/listening at (\S+),/)
    await fetch(`${url}/b`, { method: 'POST', body: '{"name":"large"}' })
    const chunk = bytes(MIB)
    const upload = async (name: string) => {
      const body = new ReadableStream({
        start: () => undefined,
        pull(controller) {
          if (sent++ < size) controller.enqueue(chunk)
          else controller.close()
        },
      })
      let sent = 0
      const options = { method: 'POST', body, duplex: 'half' } as const
      return (await fetch(url + insertPath('large', name), options)).status
    }
    const statuses = await Promise.all(Array.from({ length: parallel }, (_, at) => upload(`${at}`)))
    expect(statuses).toEqual(Array.from({ length: parallel }, () => 200))
    await child.stop()
    await rm(dataDir, { recursive: true })
    return Number(/peak (\d+) MiB/.exec(child.output())?.[1])
  }

  const small = await peak(4, 8)
  const large = await peak(4, process.env['FULL'] === '1' ? 200 : 80)

  process.stdout.write(`peak memory: ${small} MiB small, ${large} MiB large\n`)
  expect(large).toBeLessThan(small + 64)
})
