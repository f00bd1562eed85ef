import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FunctionServer } from '../app.ts'
import { type FunctionsCloud, startFunctionsCloud } from './functions-cloud.ts'
import { inParallel, pngOf, upload } from './stored-app.ts'

const MEBIBYTE = 1024 * 1024
/** What is held does not depend on the size; the whole count sends the whole size. */
const PHOTO_BYTES = process.env['FULL'] === '1' ? 18 * MEBIBYTE : 6 * MEBIBYTE

let cloud: FunctionsCloud
let server: FunctionServer
beforeAll(async () => {
  cloud = await startFunctionsCloud()
  server = await cloud.start('upload', { UPLOAD_LIMIT: '100000/minute' })
})
afterAll(() => cloud.close())

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}

test.runIf(process.platform === 'linux')(
  'memory stays flat: 32 large uploads at once raise it by at most 64 MB',
  { timeout: 300_000 },
  async () => {
    const user = await cloud.user()
    const photo = pngOf(PHOTO_BYTES)
    await upload(server, user, photo)
    const { pid } = server.process
    const before = await residentBytes(pid)
    let peak = before
    const sampling = setInterval(async () => {
      peak = Math.max(peak, await residentBytes(pid))
    }, 20)

    const answers = await inParallel(Array.from({ length: 32 }), 32, () =>
      upload(server, user, photo),
    )
    clearInterval(sampling)

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    expect(peak - before).toBeLessThan(64 * MEBIBYTE)
  },
)
