import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { LocalCloudError, lockDataDirectory } from './data-directory.ts'
import { startFirestore } from './firestore/server.ts'
import { openLocalSigner } from './local-signer.ts'
import { type StorageServer, startStorage } from './storage/server.ts'

export type LocalCloudOptions = {
  /** Where both servers keep everything; made where it is missing. */
  readonly dataDir: string
  /** 0, or absent, picks a free one. */
  readonly firestorePort?: number
  /** 0, or absent, takes the port of the last start, or a free one. */
  readonly storagePort?: number
  /** Content of a `firestore.indexes.json`: queries that need another index are refused. */
  readonly indexes?: unknown
  /** Which field of which collections says when a document ends. */
  readonly ttl?: readonly { readonly collectionGroup: string; readonly field: string }[]
  /** Made where it is missing. */
  readonly bucket?: string
  /** Gets a line for each error nobody foresaw; absent means standard error. */
  readonly log?: (line: string) => void
}

export type LocalCloud = {
  /** `host:port`, for `FIRESTORE_EMULATOR_HOST`. */
  readonly firestoreHost: string
  /** `http://host:port`, for `STORAGE_EMULATOR_HOST` or `apiEndpoint`; the same over restarts. */
  readonly storageUrl: string
  /** Who signs addresses. */
  readonly signerEmail: string
  /** Key file of that signer, mode 0600, for `GOOGLE_APPLICATION_CREDENTIALS`. */
  readonly credentialsFile: string
  /** Ends both servers within a second and gives the data directory free. */
  close(): Promise<void>
}

const HOST = '127.0.0.1'

/**
 * Starts both servers on one data directory, which then is this process's alone. Throws
 * `LocalCloudError`, one line for a person, where another process uses the directory, where a port
 * that was asked for is taken, and on Google Cloud (`K_SERVICE`), where no local server has a place.
 */
export async function openLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  if (process.env['K_SERVICE']) {
    throw new LocalCloudError('The local servers do not run on Google Cloud (K_SERVICE is set).')
  }
  const lock = lockDataDirectory(options.dataDir)
  const opened: { close(): Promise<void> }[] = []
  const close = async () => {
    await Promise.all(opened.map((server) => server.close()))
    lock.release()
  }
  try {
    const signer = await openLocalSigner(options.dataDir)
    const storage = await openStorage(options, new Map([[signer.email, signer.publicKey]]))
    opened.push(storage)
    const firestore = await openFirestore(options)
    opened.push(firestore)
    if (options.bucket !== undefined) await makeBucket(storage.url, options.bucket)
    return {
      firestoreHost: `${firestore.host}:${firestore.port}`,
      storageUrl: storage.url,
      signerEmail: signer.email,
      credentialsFile: signer.credentialsFile,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const logOf = ({ log }: LocalCloudOptions) => (log === undefined ? {} : { log })

async function openFirestore(options: LocalCloudOptions) {
  const { dataDir, indexes, ttl, firestorePort: port = 0 } = options
  const start = startFirestore({
    ...{ dataDir, host: HOST, port },
    ...(indexes === undefined ? {} : { indexes }),
    ...(ttl === undefined ? {} : { ttl }),
    ...logOf(options),
  })
  return start.catch((error: unknown) => {
    throw explainTaken(error, 'Firestore', port)
  })
}

/** The port of the last start is kept in a file, so that addresses handed out stay valid. */
async function openStorage(
  options: LocalCloudOptions,
  signers: ReadonlyMap<string, string>,
): Promise<StorageServer> {
  const file = path.join(options.dataDir, 'storage-port')
  const start = (at: number) =>
    startStorage({ dataDir: options.dataDir, host: HOST, port: at, signers, ...logOf(options) })
  const remembered = await readPort(file)
  const port = options.storagePort || remembered
  const server = await start(port).catch((error: unknown) => {
    if (!options.storagePort && port !== 0 && isTaken(error)) return start(0)
    throw explainTaken(error, 'Cloud Storage', port)
  })
  if (server.port !== remembered) await writeFile(file, `${server.port}\n`)
  return server
}

async function readPort(file: string): Promise<number> {
  const source = await readFile(file, 'utf8').catch(() => '')
  const port = Number(source)
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0
}

/** EADDRINUSE; Windows says EACCES where another program has reserved the port. */
const isTaken = (error: unknown) =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'EADDRINUSE' || error.code === 'EACCES')

const explainTaken = (error: unknown, server: string, port: number) =>
  isTaken(error)
    ? new LocalCloudError(`The port ${port} for ${server} is taken.`, { cause: error })
    : error

async function makeBucket(storageUrl: string, name: string): Promise<void> {
  const answer = await fetch(`${storageUrl}/storage/v1/b?project=local`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name }),
  })
  const reply = await answer.text()
  if (!answer.ok && answer.status !== 409) {
    throw new LocalCloudError(`The bucket ${name} could not be made: ${reply}`)
  }
}
