/** A Firestore of its own for the tests of stores. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base } from 'vitest'
import { startFirestore } from '../../infra/local/firestore/server.ts'
import { localIndexes } from '../../infra/local/indexes.ts'
import { type Database, openDatabase } from '../../shared/store/firestore.ts'

export type LocalDatabase = {
  readonly database: Database
  /** Names of the requests since the last call. */
  newRequests(): readonly string[]
  close(): Promise<void>
}

export async function openLocalDatabase(): Promise<LocalDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'wowmedia-store-'))
  const server = await startFirestore({ dataDir, indexes: await localIndexes() })
  process.env['METADATA_SERVER_DETECTION'] = 'none'
  process.env['FIRESTORE_EMULATOR_HOST'] = `${server.host}:${server.port}`
  const database = openDatabase({ GOOGLE_CLOUD_PROJECT: 'test', FIRESTORE_DATABASE: '(default)' })
  database.client()
  let seen = 0
  return {
    database,
    newRequests: () => {
      const fresh = server.requests.slice(seen).map((request) => request.method)
      seen = server.requests.length
      return fresh
    },
    close: async () => {
      await database.client().terminate()
      await server.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export const test = base.extend('store', { scope: 'file' }, async ({}, { onCleanup }) => {
  const store = await openLocalDatabase()
  onCleanup(() => store.close())
  return store
})
