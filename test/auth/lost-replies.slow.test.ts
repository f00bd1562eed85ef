import { describe, expect } from 'vitest'
import { randomName } from '../app.ts'
import { test as base, type Instance, type Local, register, startLocal, tokensOf } from './local.ts'

/** Refreshes in all, ten by each app: 60 a minute are the limit of one session. */
const REFRESHES = process.env['FULL'] === '1' ? 10_000 : 1_000
const APPS = REFRESHES / 10
const AT_ONCE = 8
const KILLS = REFRESHES / 500

/** Its own servers: their instances are killed. */
const test = base.extend('own', async ({}, { onCleanup }) => {
  const own = await startLocal()
  onCleanup(() => own.close())
  return own
})

/** A seeded generator (mulberry32), so that a failure can be repeated. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Outcome = { readonly status: number; readonly token: string | undefined }

/** One try: the reply is lost, the connection is cut, or it is answered. */
async function tryRefresh(url: string, token: string, luck: () => number): Promise<Outcome> {
  const isCut = luck() < 0.2
  const isLost = luck() < 0.25
  const signal = AbortSignal.timeout(isCut ? Math.floor(luck() * 40) : 20_000)
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${url}/token/refresh`, { method: 'POST', headers, signal })
  const body: unknown = await response.json()
  if (isLost && response.status === 200) throw new Error('the reply was lost')
  const given = typeof body === 'object' && body !== null && 'refresh_token' in body
  return { status: response.status, token: given ? String(body.refresh_token) : undefined }
}

class Fleet {
  readonly refusals: string[] = []
  refreshes = 0
  failures = 0
  readonly #luck: () => number
  readonly #instances: Instance[]

  constructor(instances: Instance[], luck: () => number) {
    this.#instances = instances
    this.#luck = luck
  }

  /** One refresh of an app that keeps its stored token on everything but a new pair; what is stored then. */
  async refresh(stored: string): Promise<string> {
    for (;;) {
      const at = Math.floor(this.#luck() * this.#instances.length)
      const outcome = await tryRefresh(this.#instances[at]?.url ?? '', stored, this.#luck).catch(
        () => undefined,
      )
      if (outcome?.token !== undefined) {
        this.refreshes += 1
        return outcome.token
      }
      this.failures += 1
      if (outcome?.status === 401) {
        this.refusals.push(stored)
        return stored
      }
    }
  }

  async killOne(own: Local): Promise<void> {
    const [victim] = this.#instances.splice(0, 1)
    this.#instances.push(await own.startInstance())
    await victim?.process.stop('SIGKILL')
  }
}

describe('an app that retries with what it has stored', () => {
  test('SES-09 is never signed out, whatever gets lost, is cut, killed or fails', {
    timeout: 900_000,
  }, async ({ own }) => {
    const luck = randomNumbers(20_261_124)
    const other = await own.startInstance()
    const fleet = new Fleet([{ url: own.url, process: own.process }, other], luck)
    const apps: string[] = []
    while (apps.length < APPS) apps.push(tokensOf(await register(own.url, randomName())).refresh)
    /** Every app once: none has its next turn before the requests that it gave up are over. */
    const round = async () => {
      let next = 0
      const run = async () => {
        for (let at = next++; at < APPS; at = next++) {
          apps[at] = await fleet.refresh(apps[at] ?? '')
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, run))
    }
    let kills = 0
    const disturb = setInterval(() => {
      own.firestore.abortNext(1)
      if (fleet.refreshes < ((kills + 1) * REFRESHES) / (KILLS + 1)) return
      kills += 1
      void fleet.killOne(own)
    }, 200)

    for (let done = 0; done < REFRESHES; done += APPS) await round()
    clearInterval(disturb)

    expect(fleet.refusals).toEqual([])
    expect(fleet.refreshes).toBe(REFRESHES)
    expect(fleet.failures).toBeGreaterThan(REFRESHES / 10)
    expect(kills).toBe(KILLS)
  })
})
