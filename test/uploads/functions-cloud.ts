/** `upload` in processes of its own, as it is deployed, against one pair of local servers. */

import type { User } from '../app.ts'
import { type App, type FunctionServer, registerUser, startCloud, startFunction } from '../app.ts'
import { type Stores, storesOf } from './stored-app.ts'

export type FunctionsCloud = Stores & {
  readonly environment: App['environment']
  readonly dataDir: string
  readonly user: () => Promise<User>
  start(name: string, env?: Readonly<Record<string, string>>): Promise<FunctionServer>
  close(): Promise<void>
}

export async function startFunctionsCloud(): Promise<FunctionsCloud> {
  const cloud = await startCloud()
  const stores = await storesOf(cloud.environment)
  const started: FunctionServer[] = []
  const start = async (name: string, env: Readonly<Record<string, string>> = {}) => {
    const server = await startFunction(name, { ...cloud.environment, ...env })
    started.push(server)
    return server
  }
  const register = await start('register')
  return {
    ...stores,
    environment: cloud.environment,
    dataDir: cloud.dataDir,
    user: () => registerUser(register.url),
    start,
    close: async () => {
      await Promise.all(started.map((server) => server.process.stop()))
      await stores.database.client().terminate()
      await cloud.close()
    },
  }
}
