/** What each function says of itself, as data, without running a handler. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Endpoint } from '../shared/http/endpoint.ts'
import { servedFunctions } from '../shared/http/serve.ts'
import { localEnvironment } from './local/environment.ts'
import { createLocalKeys } from './local/keys.ts'
import { FUNCTIONS } from './manifest.ts'

/** Nobody listens there; importing a function opens no connection. */
const NOWHERE = {
  firestoreHost: '127.0.0.1:1',
  storageUrl: 'http://127.0.0.1:1',
  credentialsFile: 'none',
}

/**
 * The endpoints of all functions in the manifest's order. A function reads its settings and keys when it is
 * imported, so it gets those of a local run, with keys that are made for this and thrown away.
 */
export async function readEndpoints(): Promise<readonly Endpoint[]> {
  const folder = await mkdtemp(join(tmpdir(), 'wowmedia-endpoints-'))
  try {
    await createLocalKeys(folder)
    Object.assign(process.env, localEnvironment(NOWHERE, folder, {}))
    for (const { name } of FUNCTIONS) await import(`../functions/${name}.ts`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  const served = servedFunctions()
  return FUNCTIONS.flatMap(({ name }) => served.get(name)?.endpoint ?? [])
}
