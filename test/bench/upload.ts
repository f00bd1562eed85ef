/**
 * `POST /file` with all that it does beside piping the same bytes into the same bucket without a check: each in a
 * process of its own, in turn, against one pair of embedded servers in a third.
 */
import { readFile } from 'node:fs/promises'
import { registerUser, startCloud, startFunction } from '../app.ts'
import { entropy, jpeg } from '../image/build-jpeg.ts'
import { startNode } from '../processes.ts'
import type { Row } from './image.ts'

const PHOTO_BYTES = 18 * 1024 * 1024
/** How many at once, how often before it counts (the first ones compile the code), and how often after. */
type Load = { readonly atOnce: number; readonly warmUps: number; readonly runs: number }
const ONE: Load = { atOnce: 1, warmUps: 8, runs: 7 }
const FOUR: Load = { atOnce: 4, warmUps: 8, runs: 7 }
const AT_ONCE = 32
const MANY: Load = { atOnce: AT_ONCE, warmUps: 1, runs: 5 }
const SAMPLE_MS = 20

type Side = {
  readonly pid: number
  /** Sends one photo and throws unless it was taken. */
  send(): Promise<void>
}

export async function benchUpload(): Promise<Row[]> {
  const cloud = await startCloud()
  const env = {
    ...cloud.environment,
    UPLOAD_LIMIT: '100000/minute',
    PHOTO_QUOTA_BYTES: '100000000000',
  }
  const register = await startFunction('register', env)
  const upload = await startFunction('upload', env)
  const pipe = startNode(['test/bench/upload-pipe.ts'], cloud.environment)
  try {
    const [, pipeUrl = ''] = await pipe.line(/^piping at (\S+)$/m)
    const { accessToken } = await registerUser(register.url)
    const photo = jpeg(entropy(PHOTO_BYTES))
    const ours = sideOf(upload.process.pid, `${upload.url}/file`, photo, accessToken)
    const other = sideOf(pipe.pid, pipeUrl, photo, accessToken)
    return [
      await compareSpeed('POST /file, 18 MiB, one at a time', ours, other, photo.length, ONE),
      await compareSpeed('POST /file, 18 MiB, four at a time', ours, other, photo.length, FOUR),
      await compareMemory(ours, other),
      await compareSpeed('POST /file, 18 MiB, 32 at a time', ours, other, photo.length, MANY),
    ]
  } finally {
    await Promise.all([register.process.stop(), upload.process.stop(), pipe.stop()])
    await cloud.close()
  }
}

function sideOf(pid: number, url: string, photo: Buffer, token: string): Side {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'image/jpeg' }
  const body = new Uint8Array(photo)
  const send = async () => {
    const response = await fetch(url, { method: 'POST', headers, body })
    const text = await response.text()
    if (response.status !== 201) throw new Error(`${response.status} ${text}`)
  }
  return { pid, send }
}

async function megabytesPerSecond(side: Side, bytes: number, atOnce: number): Promise<number> {
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: atOnce }, () => side.send()))
  return (bytes * atOnce) / 1000 / (performance.now() - startedAt)
}

function median(values: readonly number[]): number {
  return values.toSorted((one, another) => one - another)[Math.floor(values.length / 2)] ?? 0
}

async function compareSpeed(
  name: string,
  ours: Side,
  other: Side,
  bytes: number,
  { atOnce, warmUps, runs }: Load,
): Promise<Row> {
  const speeds = { ours: [] as number[], other: [] as number[] }
  for (let run = -warmUps; run < runs; run += 1) {
    const pair = {
      ours: await megabytesPerSecond(ours, bytes, atOnce),
      other: await megabytesPerSecond(other, bytes, atOnce),
    }
    if (run < 0) continue
    speeds.ours.push(pair.ours)
    speeds.other.push(pair.other)
  }
  const [mine, piped] = [median(speeds.ours), median(speeds.other)]
  return { name, ours: mine, other: piped, unit: 'MB/s', ratio: mine / piped }
}

async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1000
}

/** How much 32 uploads at once raise the resident memory of a process that has had a few. */
async function raisedBy(side: Side): Promise<number> {
  const before = await residentMegabytes(side.pid)
  let peak = before
  const sampling = setInterval(async () => {
    peak = Math.max(peak, await residentMegabytes(side.pid))
  }, SAMPLE_MS)
  await Promise.all(Array.from({ length: AT_ONCE }, () => side.send()))
  clearInterval(sampling)
  return peak - before
}

async function compareMemory(ours: Side, other: Side): Promise<Row> {
  const mine = await raisedBy(ours)
  const piped = await raisedBy(other)
  const name = 'memory raised by 32 uploads of 18 MiB at once'
  return { name, ours: mine, other: piped, unit: 'MB', ratio: mine / Math.max(1, piped) }
}
