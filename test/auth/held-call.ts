/** An instance of all functions one of whose calls to Firestore waits until it is let go, so that others can overtake it. */
import { expect } from 'vitest'
import { openFirestoreProxy } from '../faults/firestore-proxy.ts'
import type { Local } from './local.ts'

export type HeldCall = {
  readonly url: string
  /** Resolves once the call has come. */
  reached(): Promise<void>
  letGo(): void
  close(): Promise<void>
}

/** Holds the `nth` call of this name of the instance, counted from 1. */
export async function startWithHeldCall(
  local: Local,
  name: 'Commit' | 'BatchGetDocuments',
  nth: number,
): Promise<HeldCall> {
  const proxy = await openFirestoreProxy(`${local.firestore.host}:${local.firestore.port}`)
  const instance = await local.startInstance({ FIRESTORE_EMULATOR_HOST: proxy.host })
  const gate = Promise.withResolvers<void>()
  const fault = { kind: 'hold', until: gate.promise } as const
  proxy.rules.add(new RegExp(`^${name}$`), fault, { skip: nth - 1, times: 1 })
  const come = () => proxy.rules.calls.filter((call) => call === name).length
  return {
    url: instance.url,
    reached: async () => {
      await expect.poll(come, { timeout: 30_000 }).toBe(nth)
    },
    letGo: gate.resolve,
    close: async () => {
      await instance.process.stop()
      await proxy.close()
    },
  }
}
