/** An instance of all functions one of whose commits waits until it is let go, so that another call can overtake it. */
import { expect } from 'vitest'
import { openFirestoreProxy } from '../faults/firestore-proxy.ts'
import type { Local } from './local.ts'

export type HeldCommit = {
  readonly url: string
  /** Resolves once the commit has come. */
  reached(): Promise<void>
  letGo(): void
  close(): Promise<void>
}

/** Holds the `nth` commit of the instance, counted from 1. */
export async function startWithHeldCommit(local: Local, nth: number): Promise<HeldCommit> {
  const proxy = await openFirestoreProxy(`${local.firestore.host}:${local.firestore.port}`)
  const instance = await local.startInstance({ FIRESTORE_EMULATOR_HOST: proxy.host })
  const gate = Promise.withResolvers<void>()
  proxy.rules.add(/^Commit$/, { kind: 'hold', until: gate.promise }, { skip: nth - 1, times: 1 })
  const commits = () => proxy.rules.calls.filter((name) => name === 'Commit').length
  return {
    url: instance.url,
    reached: async () => {
      await expect.poll(commits, { timeout: 30_000 }).toBe(nth)
    },
    letGo: gate.resolve,
    close: async () => {
      await instance.process.stop()
      await proxy.close()
    },
  }
}
