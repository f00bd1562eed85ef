/** Every function as it is deployed: its bundle, in its own folder, by the framework's own CLI, with its own variables alone. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Built, buildFunction } from '../../infra/build.ts'
import { FUNCTIONS, type FunctionSpec, SECRETS } from '../../infra/manifest.ts'
import { call, type FunctionServer, OPEN_LIMITS } from '../app.ts'
import { freePort, startNode } from '../processes.ts'

const CLI = resolve('node_modules/@google-cloud/functions-framework/build/src/main.js')

/** Below the repository, so that the framework is found beside the bundles as it is when deployed. */
async function newFolder(): Promise<string> {
  await mkdir('.wowmedia', { recursive: true })
  return await mkdtemp(join(resolve('.wowmedia'), 'bundles-'))
}

export type Bundles = {
  readonly folder: string
  readonly built: ReadonlyMap<string, Built>
  remove(): Promise<void>
}

/** Builds the given functions, all unless said otherwise, into a folder of their own. */
export async function buildBundles(specs: readonly FunctionSpec[] = FUNCTIONS): Promise<Bundles> {
  const folder = await newFolder()
  const built = new Map<string, Built>()
  await Promise.all(
    specs.map(async (spec) => void built.set(spec.name, await buildFunction(spec, folder))),
  )
  return { folder, built, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** Of all local variables only what the manifest's row gives to the function, and where the local servers are. */
export function ownVariables(
  spec: FunctionSpec,
  all: Readonly<Record<string, string>>,
): Record<string, string> {
  const mounts = spec.secrets.map((name) => SECRETS[name].setting)
  const servers = [
    ...(spec.firestore ? ['FIRESTORE_EMULATOR_HOST'] : []),
    ...(spec.bucket.length > 0 ? ['STORAGE_EMULATOR_HOST'] : []),
    ...(spec.signsUrls ? ['GOOGLE_APPLICATION_CREDENTIALS'] : []),
  ]
  const names = new Set<string>([...spec.settings, ...mounts, ...servers])
  const chosen = Object.entries(all).filter(([name]) => names.has(name))
  return {
    ...Object.fromEntries(chosen),
    NODE_ENV: 'production',
    METADATA_SERVER_DETECTION: 'none',
  }
}

/** Starts one bundle and waits until it answers. */
export async function startBundle(
  name: string,
  folder: string,
  variables: Readonly<Record<string, string>>,
): Promise<FunctionServer> {
  const port = await freePort()
  const started = startNode(
    [CLI, `--target=${name}`],
    { ...OPEN_LIMITS, ...variables, PORT: String(port) },
    join(folder, name),
  )
  const url = `http://127.0.0.1:${port}`
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (
      await call(url, 'GET', '/is-it-there').then(
        () => true,
        () => false,
      )
    ) {
      return { url, process: started }
    }
    await new Promise((wait) => setTimeout(wait, 50))
  }
  throw new Error(`no answer at ${url}:\n${started.output()}`)
}
