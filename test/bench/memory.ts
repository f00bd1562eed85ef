/** Memory of uploads at once, beside a function that takes the body as the framework buffers it. */
import { registerUser, startCloud, startFunction } from '../app.ts'
import { entropy, jpeg } from '../image/build-jpeg.ts'
import { residentMegabytes } from './calls.ts'
import type { Row } from './image.ts'

const PHOTO_BYTES = 18 * 1024 * 1024
const AT_ONCE = 12
const SAMPLE_MS = 20

async function send(url: string, token: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'image/jpeg' }
  const response = await fetch(url, { method: 'POST', headers, body })
  const answer = await response.text()
  if (response.status !== 201) throw new Error(`${response.status} ${answer}`)
}

/** How much uploads at once raise the resident memory of a process that has had one. */
async function raisedBy(pid: number, sendOne: () => Promise<void>): Promise<number> {
  await sendOne()
  const before = await residentMegabytes(pid)
  let peak = before
  const sampling = setInterval(async () => {
    peak = Math.max(peak, await residentMegabytes(pid))
  }, SAMPLE_MS)
  await Promise.all(Array.from({ length: AT_ONCE }, sendOne))
  clearInterval(sampling)
  return peak - before
}

export async function benchMemory(): Promise<Row[]> {
  const cloud = await startCloud()
  const env = { ...cloud.environment, UPLOAD_LIMIT: '100000/minute' }
  const register = await startFunction('register', env)
  const upload = await startFunction('upload', env)
  const source = 'test/bench/buffering-function.ts'
  const buffering = await startFunction('buffering', env, source)
  try {
    const { accessToken } = await registerUser(register.url)
    const photo = new Uint8Array(jpeg(entropy(PHOTO_BYTES)))
    const ours = await raisedBy(upload.process.pid, () =>
      send(`${upload.url}/file`, accessToken, photo),
    )
    const other = await raisedBy(buffering.process.pid, () =>
      send(buffering.url, accessToken, photo),
    )
    const name = `memory raised by ${AT_ONCE} uploads of 18 MiB at once, beside the framework's buffering`
    return [{ name, ours, other, unit: 'MB', ratio: ours / other }]
  } finally {
    await Promise.all([register, upload, buffering].map(({ process: one }) => one.stop()))
    await cloud.close()
  }
}
