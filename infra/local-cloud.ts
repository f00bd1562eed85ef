/** `npm run local-cloud`: only the two servers, for any program that uses Google's SDKs. */
import { readFile } from 'node:fs/promises'
import { parseCommandLine } from './command-line.ts'
import { dataDirectory, localEnvironment } from './local/environment.ts'
import { createLocalKeys } from './local/keys.ts'
import { openLocalCloud } from './local/local-cloud.ts'
import { TIME_TO_LIVE } from './local/time-to-live.ts'

const HELP = `npm run local-cloud
Firestore and Cloud Storage on this machine, kept in WOWMEDIA_DATA_DIR (.wowmedia).
Prints one NAME=value a line for programs that use Google's SDKs and for functions started by hand.

FIRESTORE_PORT, STORAGE_PORT  0 picks a free one
FIRESTORE_INDEXES             a firestore.indexes.json: queries that need another index are refused`

function port(name: string): { readonly value?: number } {
  const text = process.env[name]
  if (text === undefined || text === '') return {}
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= 65_535)) throw new RangeError(`${name} must be a whole number from 0 to 65535`)
  return { value }
}

async function indexes(): Promise<unknown> {
  const file = process.env['FIRESTORE_INDEXES']
  if (file === undefined || file === '') return undefined
  const parsed: unknown = JSON.parse(await readFile(file, 'utf8'))
  return parsed
}

async function open(dataDir: string) {
  const firestorePort = port('FIRESTORE_PORT').value
  const storagePort = port('STORAGE_PORT').value
  return await openLocalCloud({
    dataDir,
    bucket: process.env['PHOTO_BUCKET'] || 'wowmedia-photos',
    indexes: await indexes(),
    ttl: TIME_TO_LIVE,
    ...(firestorePort === undefined ? {} : { firestorePort }),
    ...(storagePort === undefined ? {} : { storagePort }),
  })
}

export async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: [], flags: [], help: HELP })
  if (line.done !== undefined) return line.done
  try {
    const dataDir = dataDirectory()
    const cloud = await open(dataDir)
    await createLocalKeys(dataDir)
    const values = localEnvironment(cloud, dataDir)
    for (const [name, value] of Object.entries(values)) console.log(`${name}=${value}`)
    const stopped = Promise.withResolvers<void>()
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => stopped.resolve())
    await stopped.promise
    await cloud.close()
    process.exit(0)
  } catch (error) {
    console.error(error instanceof Error ? error.message : 'The local servers could not start.')
    return 1
  }
}
