/**
 * The lock file of one deployed function: the part of the repository's own lock that its few dependencies
 * need, so that what is deployed is what was tested, and building asks no registry.
 */

type LockedPackage = {
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}
export type Lock = { readonly packages: Readonly<Record<string, LockedPackage>> }

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isLock(value: unknown): value is Lock {
  if (!isRecord(value) || value['lockfileVersion'] !== 3) return false
  const packages = value['packages']
  return isRecord(packages) && Object.values(packages).every(isRecord)
}

/** Throws where the text is no npm lock file of version 3. */
export function parseLock(text: string): Lock {
  const parsed: unknown = JSON.parse(text)
  if (!isLock(parsed)) throw new TypeError('package-lock.json is no lock file of version 3')
  return parsed
}

/** The package at `path` and the packages that it lies within, innermost first, then the root. */
function enclosing(path: string): readonly string[] {
  const at = path.lastIndexOf('node_modules/')
  return at < 0 ? [''] : [path, ...enclosing(path.slice(0, Math.max(0, at - 1)))]
}

/** Where Node finds `name` from the package at `path`: the nearest `node_modules` upwards. */
function locate(lock: Lock, path: string, name: string): string | undefined {
  return enclosing(path)
    .map((folder) => `${folder === '' ? '' : `${folder}/`}node_modules/${name}`)
    .find((candidate) => lock.packages[candidate] !== undefined)
}

function needsOf(
  entry: LockedPackage,
): readonly { readonly name: string; readonly must: boolean }[] {
  const meta = entry.peerDependenciesMeta ?? {}
  const peers = Object.keys(entry.peerDependencies ?? {}).map((name) => ({
    name,
    must: meta[name]?.optional !== true,
  }))
  return [
    ...Object.keys(entry.dependencies ?? {}).map((name) => ({ name, must: true })),
    ...Object.keys(entry.optionalDependencies ?? {}).map((name) => ({ name, must: false })),
    ...peers,
  ]
}

function closure(lock: Lock, names: readonly string[]): readonly string[] {
  const found = new Set<string>()
  const queue = names.map((name) => ({ from: '', name, must: true }))
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const path = locate(lock, next.from, next.name)
    if (path === undefined) {
      if (next.must) throw new Error(`package-lock.json has no ${next.name} for ${next.from}`)
      continue
    }
    if (found.has(path)) continue
    found.add(path)
    const entry = lock.packages[path]
    if (entry !== undefined) queue.push(...needsOf(entry).map((need) => ({ ...need, from: path })))
  }
  return [...found].toSorted()
}

export type DeployedPackage = {
  readonly name: string
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
}

/** The exact version that is locked for a direct dependency. */
export function lockedVersion(lock: Lock, name: string): string {
  const entry = lock.packages[`node_modules/${name}`]
  if (entry === undefined) throw new Error(`package-lock.json has no ${name}`)
  return entry.version
}

/** Text of the `package-lock.json` beside a bundle. Pure. */
export function pruneLock(lock: Lock, deployed: DeployedPackage, engines: unknown): string {
  const paths = closure(lock, Object.keys(deployed.dependencies))
  const packages = {
    '': { ...deployed, engines },
    ...Object.fromEntries(paths.map((path) => [path, lock.packages[path]])),
  }
  const { name, version } = deployed
  return `${JSON.stringify({ name, version, lockfileVersion: 3, requires: true, packages }, null, 2)}\n`
}
