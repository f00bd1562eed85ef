/** The whole system with a proxy before each server, for tests that break the network between. */
import { OPEN_LIMITS, startCloud } from '../app.ts'
import { type Started, startNode } from '../processes.ts'
import type { FaultProxy } from './fault.ts'
import { openFirestoreProxy } from './firestore-proxy.ts'
import { openStorageProxy } from './storage-proxy.ts'

export type FaultyApp = {
  readonly url: string
  readonly firestore: FaultProxy
  readonly storage: FaultProxy
  /** Environment without the proxies, to look at what is stored. */
  readonly direct: Readonly<Record<string, string>>
  /** Environment through the proxies, to start more instances. */
  readonly proxied: Readonly<Record<string, string>>
  readonly dataDir: string
  readonly process: Started
  close(): Promise<void>
}

/** One more instance of all functions; `preloaded` runs before anything else in it. */
export async function startInstance(
  environment: Readonly<Record<string, string>>,
  preloaded?: string,
): Promise<{ readonly url: string; readonly process: Started }> {
  const imports = preloaded === undefined ? [] : ['--import', `./test/faults/${preloaded}`]
  const child = startNode([...imports, 'test/faults/all-functions.ts'], {
    ...OPEN_LIMITS,
    ...environment,
  })
  const [, url = ''] = await child.line(/^listening at (http:\S+)$/m)
  return { url, process: child }
}

export async function startFaultyApp(
  env: Readonly<Record<string, string>> = {},
): Promise<FaultyApp> {
  const cloud = await startCloud()
  const firestore = await openFirestoreProxy(cloud.environment['FIRESTORE_EMULATOR_HOST'] ?? '')
  const storage = await openStorageProxy(cloud.environment['STORAGE_EMULATOR_HOST'] ?? '')
  const proxied = {
    ...cloud.environment,
    FIRESTORE_EMULATOR_HOST: firestore.host,
    STORAGE_EMULATOR_HOST: `http://${storage.host}`,
    ...env,
  }
  const instance = await startInstance(proxied)
  return {
    url: instance.url,
    firestore,
    storage,
    direct: cloud.environment,
    proxied,
    dataDir: cloud.dataDir,
    process: instance.process,
    close: async () => {
      await instance.process.stop()
      await firestore.close()
      await storage.close()
      await cloud.close()
    },
  }
}
