import { once } from 'node:events'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNode } from '../processes.ts'

/** One comparison: both figures in `unit`, `ratio` is ours divided by other. */
export type Row = { name: string; ours: number; other: number; unit: string; ratio: number }

const KIB = 1024
const MIB = 1024 * KIB
const CASES = [
  { name: 'upload 20 kB, one after another', bytes: 20_000, count: 100, parallel: 1 },
  { name: 'upload 20 kB, 8 in parallel', bytes: 20_000, count: 200, parallel: 8 },
  { name: 'upload 4 MiB, one after another', bytes: 4 * MIB, count: 10, parallel: 1 },
  { name: 'upload 4 MiB, 8 in parallel', bytes: 4 * MIB, count: 24, parallel: 8 },
  { name: 'upload 200 MiB', bytes: 200 * MIB, count: 1, parallel: 1 },
] as const

type Case = (typeof CASES)[number]
type Work = (name: string, content: Buffer) => Promise<void>

const RUNS = 5
/** The first ones compile the code of the servers. */
const WARM_UPS = 2
/** What a socket hands over at once. */
const PIECE_BYTES = 64 * KIB

/**
 * Uploads into the embedded Cloud Storage beside writing the same bytes into plain files, and beside
 * sending them to a bare HTTP server that does just that; all end with fsync. Both servers are
 * processes of their own. Medians of runs in turn.
 */
export async function benchStorage(): Promise<Row[]> {
  const directory = await mkdtemp(join(tmpdir(), 'wowmedia-bench-'))
  const child = startNode(['test/contract/storage-child.ts', join(directory, 'server')])
  const plain = startNode(['test/bench/plain-receiver.ts', join(directory, 'plain')])
  try {
    const [, url = ''] = await child.line(/listening at (\S+),/)
    const [, plainUrl = ''] = await plain.line(/listening at (\S+),/)
    await fetch(`${url}/b`, { method: 'POST', body: '{"name":"bench"}' })
    const rows: Row[] = []
    for (const each of CASES) rows.push(...(await compare(each, [url, plainUrl], directory)))
    return rows
  } finally {
    await Promise.all([child.stop(), plain.stop()])
    await rm(directory, { recursive: true, force: true })
  }
}

async function compare(each: Case, urls: string[], directory: string): Promise<Row[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: each.parallel })
  const uploads = urls.map(
    (url): Work =>
      (name, body) =>
        upload(agent, `${url}/upload/storage/v1/b/bench/o?uploadType=media&name=${name}`, body),
  )
  const works = [...uploads, (name: string, body: Buffer) => writeFile(join(directory, name), body)]
  const content = Buffer.alloc(each.bytes, 'photo')
  const rates: number[][] = works.map(() => [])
  for (let run = -WARM_UPS; run < RUNS; run++) {
    for (const [at, work] of works.entries()) {
      const measured = await rate(each, work, content)
      if (run >= 0) rates[at]?.push(measured)
    }
  }
  agent.destroy()
  const [ours = 0, bare = 0, file = 0] = rates.map(median)
  const row = (beside: string, other: number): Row => ({
    ...{ name: `${each.name}, beside ${beside}`, ours, other, unit: 'MB/s', ratio: ours / other },
  })
  return [row('a plain file write', file), row('a bare HTTP server that writes it', bare)]
}

/** Megabytes a second over all pieces of work of one run. */
async function rate(each: Case, work: Work, content: Buffer): Promise<number> {
  let next = 0
  const worker = async () => {
    while (next < each.count) await work(`${next++}`, content)
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: each.parallel }, worker))
  return (each.count * each.bytes) / 1000 / (performance.now() - start)
}

async function upload(agent: Agent, url: string, content: Buffer): Promise<void> {
  const headers = { 'Content-Length': content.length }
  const sent = request(url, { method: 'POST', agent, headers })
  sent.end(content)
  const [answer] = await once(sent, 'response')
  answer.resume()
  await once(answer, 'end')
  if (answer.statusCode !== 200) throw new Error(`upload: ${answer.statusCode}`)
}

async function writeFile(file: string, content: Buffer): Promise<void> {
  const handle = await open(file, 'w')
  try {
    for (let at = 0; at < content.length; at += PIECE_BYTES) {
      await handle.write(content, at, Math.min(PIECE_BYTES, content.length - at))
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
