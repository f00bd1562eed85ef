/** A phone's connection, which loses answers of its own accord, and its patience: it asks until it knows. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Answer, type Call, call } from '../app.ts'
import type { Chance } from './random.ts'
import type { Happenings } from './record.ts'

/** How often an answer arrives and is forgotten, and how often the phone hangs up amid a call. */
const FORGOTTEN = 0.08
const HUNG_UP = 0.05
/** An answer must have come by then, whatever hangs (DATA-04). */
const LONGEST_MS = 60_000
/** Everything is answered for good by then: a lease of a dead process lasts 60 s. */
const PATIENCE_MS = 240_000
const LONGEST_WAIT_SECONDS = 5

export type Line = {
  /** One call; undefined where nothing was heard. */
  ask(method: string, path: string, options?: Call): Promise<Answer | undefined>
  /** The answer that is no request to come again; `lost` is true where an answer before it was not heard. */
  askOn(
    method: string,
    path: string,
    options?: () => Call,
  ): Promise<{ readonly answer: Answer; readonly lost: boolean }>
}

export class GaveUp extends Error {}

export type LineOptions = {
  readonly chance: Chance
  readonly record: Happenings
  urls(): readonly string[]
  readonly address: string
  /** Nothing is lost on purpose any more. */
  isCalm(): boolean
}

function isForLater({ status, body }: Answer): boolean {
  return (
    status === 429 || status === 503 || status === 408 || body['code'] === 'idempotency_key_in_use'
  )
}

/** How long to wait before the same call again, milliseconds. */
function waitOf(answer: Answer | undefined, chance: Chance): number {
  const seconds = Number(answer?.headers.get('retry-after') ?? 0.1)
  return 1000 * Math.min(LONGEST_WAIT_SECONDS, seconds) * (0.5 + chance.next())
}

/** One call to one of the instances; undefined where nothing was heard, or is made as if. */
async function askOnce(
  { chance, record, urls, address, isCalm }: LineOptions,
  method: string,
  path: string,
  options: Call,
): Promise<Answer | undefined> {
  const all = urls()
  const url = all[chance.between(0, all.length)] ?? ''
  const isBad = (share: number) => !isCalm() && chance.happens(share)
  const patienceMs = isBad(HUNG_UP) ? chance.between(1, 80) : LONGEST_MS
  // Connections that are kept would look like a leak of the functions' descriptors at the end.
  const headers = { 'x-forwarded-for': address, connection: 'close', ...options.headers }
  const signal = AbortSignal.timeout(patienceMs)
  const began = performance.now()
  const answer = await call(url, method, path, { ...options, headers, signal }).catch(
    () => undefined,
  )
  if (performance.now() - began > LONGEST_MS) record.violation(`${method} ${path} hangs`)
  if (answer?.status === 500) {
    record.violation(`${method} ${path} is 500, ${answer.body['request_id']}`)
    return undefined
  }
  return isBad(FORGOTTEN) ? undefined : answer
}

type Known = Awaited<ReturnType<Line['askOn']>>

async function askUntilKnown(
  { chance, record }: LineOptions,
  ask: () => Promise<Answer | undefined>,
): Promise<Known | undefined> {
  const endsAt = performance.now() + PATIENCE_MS
  let lost = false
  while (performance.now() < endsAt) {
    const answer = await ask()
    if (answer !== undefined && !isForLater(answer)) return { answer, lost }
    // What is refused by a limit was not done; of all else it is not known.
    if (answer?.status !== 429) lost = true
    record.count(answer === undefined ? 'unheard' : `later (${answer.status})`)
    await pause(waitOf(answer, chance))
  }
  return undefined
}

export function openLine(options: LineOptions): Line {
  return {
    ask: (method, path, sent = {}) => askOnce(options, method, path, sent),
    askOn: async (method, path, sent = () => ({})) => {
      const known = await askUntilKnown(options, () => askOnce(options, method, path, sent()))
      if (known !== undefined) return known
      options.record.violation(`${method} ${path} is never answered for good`)
      throw new GaveUp()
    },
  }
}
