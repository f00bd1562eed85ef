/** The esbuild plugin that leaves out of the SDKs what no function uses (replacements.ts). */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OnLoadResult, Plugin } from 'esbuild'
import { firestoreCodec } from './firestore-codec.ts'
import { lazyRequires } from './lazy-requires.ts'
import { CODEC, LAZY_PACKAGES, READ_VERSIONS, REPLACEMENTS } from './replacements.ts'

const DESCRIPTOR = '@google-cloud/firestore-api/build/protos/protos.json'

function packageOf(path: string): string {
  const [first = '', second = ''] = path.split('/')
  return first.startsWith('@') ? `${first}/${second}` : first
}

/** Path within the innermost `node_modules`, with slashes. */
function modulePath(path: string): string {
  return path.replaceAll('\\', '/').split('/node_modules/').at(-1) ?? path
}

function isVersioned(value: unknown): value is { readonly version: string } {
  return typeof value === 'object' && value !== null && 'version' in value
}

async function installedVersion(modules: string, name: string): Promise<string> {
  const parsed: unknown = JSON.parse(await readFile(join(modules, name, 'package.json'), 'utf8'))
  return isVersioned(parsed) ? parsed.version : 'none'
}

/** One line for each package whose installed version is not the one that replacements.ts was read against. */
export async function unreadVersions(modules: string): Promise<readonly string[]> {
  const lines = await Promise.all(
    Object.entries(READ_VERSIONS).map(async ([name, read]) => {
      const installed = await installedVersion(modules, name)
      if (installed === read) return []
      return [`${name} is ${installed}; infra/bundle/replacements.ts was read against ${read}`]
    }),
  )
  return lines.flat()
}

const codecs = new Map<string, Promise<string>>()

/** The same for every bundle, so made once. */
function codecOf(modules: string): Promise<string> {
  const made =
    codecs.get(modules) ??
    readFile(join(modules, DESCRIPTOR), 'utf8').then((text) => firestoreCodec(JSON.parse(text)))
  codecs.set(modules, made)
  return made
}

async function load(path: string): Promise<OnLoadResult | undefined> {
  const inside = modulePath(path)
  const replacement = REPLACEMENTS[inside]
  if (replacement !== undefined) return { contents: replacement.source, loader: 'js' }
  if (!LAZY_PACKAGES.includes(packageOf(inside)) || inside.endsWith('.json')) return undefined
  return { contents: lazyRequires(await readFile(path, 'utf8')), loader: 'js' }
}

/** @param modules absolute path of the `node_modules` that the bundle is made from */
export function trimPlugin(modules: string): Plugin {
  return {
    name: 'trim',
    setup(build) {
      build.onStart(async () => ({
        errors: (await unreadVersions(modules)).map((text) => ({ text })),
      }))
      build.onResolve({ filter: new RegExp(`^${CODEC}$`) }, () => ({
        path: CODEC,
        namespace: 'trim',
      }))
      build.onResolve({ filter: /^@google-cloud\/storage$/ }, () => ({
        path: join(modules, '@google-cloud/storage/build/cjs/src/index.js'),
      }))
      build.onLoad({ filter: /.*/, namespace: 'trim' }, async () => ({
        contents: await codecOf(modules),
        resolveDir: modules,
      }))
      build.onLoad({ filter: /[\\/]node_modules[\\/].*\.(c?js|json)$/ }, ({ path }) => load(path))
    },
  }
}
