/** The embedded Cloud Storage with the real SDK before it: what every storage contract test talks to. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bucket, Storage } from '@google-cloud/storage'
import { test as base } from 'vitest'
import { type LocalSigner, openLocalSigner } from '../../infra/local/local-signer.ts'
import { type StorageServer, startStorage } from '../../infra/local/storage/server.ts'

export type StorageTarget = {
  readonly server: StorageServer
  readonly signer: LocalSigner
  /** The real SDK, which can sign. */
  readonly client: Storage
  /** A fresh bucket with a random name. */
  newBucket(): Promise<Bucket>
  /** Plain HTTP; `path` starts with a slash. */
  http(path: string, init?: RequestInit): Promise<Response>
}

/** Runs with variables set (or, with undefined, unset), and puts them back. */
export async function withEnvironment<T>(
  values: Readonly<Record<string, string | undefined>>,
  run: () => Promise<T>,
): Promise<T> {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const)
  const apply = ([name, value]: readonly [string, string | undefined]) => {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  Object.entries(values).forEach(apply)
  try {
    return await run()
  } finally {
    before.forEach(apply)
  }
}

/** A client that has read its key file, as a function on the local servers does. */
export function openClient(
  options: ConstructorParameters<typeof Storage>[0],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Storage> {
  return withEnvironment({ METADATA_SERVER_DETECTION: 'none', ...environment }, async () => {
    const client = new Storage({ projectId: 'demo-storage', ...options })
    if (environment['GOOGLE_APPLICATION_CREDENTIALS']) await client.authClient.getCredentials()
    return client
  })
}

export async function newDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'wowmedia-storage-'))
}

async function openTarget() {
  const dataDir = await newDirectory()
  const signer = await openLocalSigner(dataDir)
  const signers = new Map([[signer.email, signer.publicKey]])
  const server = await startStorage({ dataDir, signers })
  const client = await openClient(
    { apiEndpoint: server.url },
    { GOOGLE_APPLICATION_CREDENTIALS: signer.credentialsFile },
  )
  const target: StorageTarget = {
    ...{ server, signer, client },
    async newBucket() {
      const [bucket] = await client.createBucket(`photos-${randomBytes(8).toString('hex')}`)
      return bucket
    },
    http: (path, init) => fetch(server.url + path, init),
  }
  const close = async () => {
    await server.close()
    await rm(dataDir, { recursive: true, force: true })
  }
  return { target, close }
}

export const test = base
  .extend('storage', { scope: 'worker' }, async ({}, { onCleanup }): Promise<StorageTarget> => {
    const { target, close } = await openTarget()
    onCleanup(close)
    return target
  })
  .extend('bucket', async ({ storage }): Promise<Bucket> => storage.newBucket())

/**
 * The code with which the promise rejects; a promise that resolves is an error. The SDK rejects with
 * the reply's plain object where a resumable upload is refused.
 */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (typeof outcome !== 'object' || outcome === null) throw new Error('expected a rejection')
  return 'code' in outcome ? Number(outcome.code) : String(outcome)
}

/** Bytes that repeat nowhere near. */
export const bytes = (length: number) => randomBytes(length)

/** Path of an object on the JSON side. */
export const objectPath = (bucket: string, name: string) =>
  `/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}`

/** Path of an insert. */
export const insertPath = (bucket: string, name: string, kind = 'media') =>
  `/upload/storage/v1/b/${bucket}/o?uploadType=${kind}&name=${encodeURIComponent(name)}`

/** All names in the bucket, in the order of the list. */
export async function namesIn(bucket: Bucket): Promise<string[]> {
  const [files] = await bucket.getFiles()
  return files.map((file) => file.name)
}
