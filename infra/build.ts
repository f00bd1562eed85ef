/** `npm run build`: a folder `dist/NAME` for each function, ready to be deployed (deploy.md 1.3). */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Metafile } from 'esbuild'
import { bundle } from './bundle/bundle.ts'
import { type Lock, lockedVersion, parseLock, pruneLock } from './bundle/lock-file.ts'
import { parseCommandLine } from './command-line.ts'
import { FUNCTIONS, type FunctionSpec } from './manifest.ts'
import { manifestProblems } from './manifest-rules.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FRAMEWORK = '@google-cloud/functions-framework'
const ENGINES = { node: '24.x.x' }

/** An allow-list: nothing else of the folder is uploaded, whatever lies there. */
const UPLOADED = ['*', '!index.js', '!package.json', '!package-lock.json', ''].join('\n')

export type Built = {
  readonly name: string
  readonly folder: string
  readonly bytes: number
  readonly metafile: Metafile
}

function packageOf(spec: FunctionSpec, lock: Lock) {
  const names = [FRAMEWORK, ...spec.native]
  return {
    name: spec.name,
    version: '1.0.0',
    dependencies: Object.fromEntries(names.map((name) => [name, lockedVersion(lock, name)])),
  }
}

/** Builds one function into `outDir/NAME` and replaces what was there. */
export async function buildFunction(spec: FunctionSpec, outDir: string): Promise<Built> {
  const lock = parseLock(await readFile(join(ROOT, 'package-lock.json'), 'utf8'))
  const folder = join(outDir, spec.name)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const entry = join(ROOT, 'functions', `${spec.name}.ts`)
  const { bytes, metafile } = await bundle(entry, join(folder, 'index.js'), [
    FRAMEWORK,
    ...spec.native,
  ])
  const deployed = packageOf(spec, lock)
  const manifest = { ...deployed, private: true, main: 'index.js', engines: ENGINES }
  await Promise.all([
    writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`),
    writeFile(join(folder, 'package-lock.json'), pruneLock(lock, deployed, ENGINES)),
    writeFile(join(folder, '.gcloudignore'), UPLOADED),
  ])
  return { name: spec.name, folder, bytes, metafile }
}

const HELP = `npm run build -- [--only=NAME,NAME] [--out=DIR]
Bundles each function into dist/NAME: one file, package.json with exact versions, lock file.
  --only   these functions
  --out    another folder than dist`

export async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: ['only', 'out'], flags: [], help: HELP })
  if (line.done !== undefined) return line.done
  const problems = manifestProblems(FUNCTIONS)
  for (const problem of problems) console.error(`infra/manifest.ts: ${problem}`)
  if (problems.length > 0) return 1
  const outDir = resolve(ROOT, line.values['out'] ?? 'dist')
  for (const spec of line.only) {
    const { bytes } = await buildFunction(spec, outDir)
    console.log(`${spec.name.padEnd(16)}${(bytes / 1024).toFixed(0).padStart(6)} KiB`)
  }
  return 0
}
