/** The same call again and again, and what it cost the process that answered it. */
import { readFile } from 'node:fs/promises'
import { Agent, type IncomingMessage, request } from 'node:http'

export type Shot = {
  readonly method: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export type Figures = {
  readonly perSecond: number
  /** Calls for each second of processor time of the answering process; 0 where that is not told (no /proc). */
  readonly perCoreSecond: number
  /** Milliseconds. */
  readonly p99: number
}

/** Linux counts processor time in hundredths of a second. */
const TICKS = 100

async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function fire(agent: Agent, { method, url, headers = {}, body = '' }: Shot): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const length = { 'content-length': String(Buffer.byteLength(body)) }
  const sent = request(url, { method, agent, headers: { ...length, ...headers } })
  sent.on('error', reject)
  sent.on('response', (answer) => {
    const status = answer.statusCode ?? 0
    textOf(answer).then(
      (text) => (status < 300 ? resolve(text) : reject(new Error(`${url}: ${status} ${text}`))),
      reject,
    )
  })
  sent.end(body)
  return promise
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/**
 * Fires at the process until `milliseconds` have passed, each of `chains` one call after another; a chain makes its
 * next shot of the answer before. Throws on any answer that is no success.
 */
export async function measureLoad(
  pid: number,
  chains: readonly ((before: string | undefined) => Shot)[],
  milliseconds: number,
): Promise<Figures> {
  const agent = new Agent({ keepAlive: true, maxSockets: chains.length })
  const times: number[] = []
  const [processorBefore, startedAt] = [await processorSeconds(pid), performance.now()]
  const run = async (shotOf: (before: string | undefined) => Shot) => {
    let answer: string | undefined
    while (performance.now() - startedAt < milliseconds) {
      const began = performance.now()
      answer = await fire(agent, shotOf(answer))
      times.push(performance.now() - began)
    }
  }
  await Promise.all(chains.map(run))
  const seconds = (performance.now() - startedAt) / 1000
  const processor = (await processorSeconds(pid)) - processorBefore
  agent.destroy()
  const perCoreSecond = processor > 0 ? times.length / processor : 0
  return { perSecond: times.length / seconds, perCoreSecond, p99: percentile(times, 0.99) }
}
