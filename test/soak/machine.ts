/** Two servers, a breakable network before them, and two instances of all functions, of which one gets killed. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { newDataDir } from '../app.ts'
import type { FaultProxy } from '../faults/fault.ts'
import { startInstance } from '../faults/faulty-app.ts'
import { openFirestoreProxy } from '../faults/firestore-proxy.ts'
import { openStorageProxy } from '../faults/storage-proxy.ts'
import { type Started, startNode } from '../processes.ts'

type Environment = Readonly<Record<string, string>>

export type Machine = {
  /** Bases of the instances that run. */
  urls(): readonly string[]
  readonly firestore: FaultProxy
  readonly storage: FaultProxy
  readonly dataDir: string
  /** Folder for temporary files of the functions, of nobody else. */
  readonly scratch: string
  /** Environment without the proxies. */
  readonly direct: Environment
  /** The instance that lives from the start to the end. */
  readonly steadyPid: number
  /** What that one holds once its garbage is collected, megabytes; undefined where no signal tells it to (Windows). */
  steadyHeap(): Promise<number | undefined>
  /** Ends the other instance so, and starts it anew. */
  restartFunctions(signal: NodeJS.Signals): Promise<void>
  /** Kills both servers and starts them anew on their ports and data. */
  killServers(): Promise<void>
  close(): Promise<void>
}

async function startServers(dataDir: string, ports: Environment) {
  const started = startNode(['infra/run.js', 'local-cloud'], {
    WOWMEDIA_DATA_DIR: dataDir,
    FIRESTORE_PORT: '0',
    STORAGE_PORT: '0',
    ...ports,
  })
  await started.line(/^METADATA_SERVER_DETECTION=none$/m)
  const pairs = started.output().matchAll(/^([A-Z_]+)=(.*)$/gm)
  const environment: Record<string, string> = {}
  for (const [, name = '', value = ''] of pairs) environment[name] = value
  return { started, environment }
}

const portOf = (address: string | undefined) => address?.split(':').at(-1) ?? ''

export async function openMachine(settings: Environment): Promise<Machine> {
  const dataDir = await newDataDir()
  const scratch = join(dataDir, 'scratch')
  await mkdir(scratch)
  const first = await startServers(dataDir, {})
  const direct = first.environment
  const ports = {
    FIRESTORE_PORT: portOf(direct['FIRESTORE_EMULATOR_HOST']),
    STORAGE_PORT: portOf(direct['STORAGE_EMULATOR_HOST']),
  }
  const firestore = await openFirestoreProxy(direct['FIRESTORE_EMULATOR_HOST'] ?? '')
  const storage = await openStorageProxy(direct['STORAGE_EMULATOR_HOST'] ?? '')
  const environment = {
    ...direct,
    ...settings,
    FIRESTORE_EMULATOR_HOST: firestore.host,
    STORAGE_EMULATOR_HOST: `http://${storage.host}`,
    TMPDIR: scratch,
  }
  const steady = await startInstance(environment, '../soak/collected.ts')
  let collected = 0
  let servers: Started = first.started
  let other: Awaited<ReturnType<typeof startInstance>> | undefined =
    await startInstance(environment)
  return {
    urls: () => [steady.url, ...(other === undefined ? [] : [other.url])],
    firestore,
    storage,
    dataDir,
    scratch,
    direct,
    steadyPid: steady.process.pid,
    steadyHeap: async () => {
      if (process.platform === 'win32') return undefined
      collected += 1
      process.kill(steady.process.pid, 'SIGUSR2')
      const [, kilobytes] = await steady.process.line(
        new RegExp(`^collected ${collected}: (\\d+) kB$`, 'm'),
      )
      return Math.round(Number(kilobytes) / 1024)
    },
    restartFunctions: async (signal) => {
      const ended = other?.process
      other = undefined
      await ended?.stop(signal)
      other = await startInstance(environment)
    },
    killServers: async () => {
      await servers.stop('SIGKILL')
      servers = (await startServers(dataDir, ports)).started
    },
    close: async () => {
      await Promise.all([steady.process.stop(), other?.process.stop()])
      await Promise.all([firestore.close(), storage.close()])
      await servers.stop()
    },
  }
}
