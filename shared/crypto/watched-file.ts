/** Small files that an operator may change while the process runs: keys and secrets. */
import { readFileSync, type Stats, statSync } from 'node:fs'
import { StartError } from '../domain/start-error.ts'

export type Watch = {
  /** Name of the variable that holds the path, for the operator. */
  readonly variable: string
  readonly path: string
  /** Refused where others may read it, unless `deployed`: there the platform sets the mode and alone has access. */
  readonly secret: boolean
  /** True on Cloud Run (`K_SERVICE`). */
  readonly deployed: boolean
}

/** Least time between two readings, milliseconds: a local change is seen within 5 s, a deployed one within 5 minutes. */
const LOCAL_MS = 5_000
const DEPLOYED_MS = 300_000

function readable(watch: Watch): { readonly content: string; readonly stamp: string } {
  const stats = statSync(watch.path)
  const open = (stats.mode & 0o077) !== 0 && process.platform !== 'win32'
  if (watch.secret && open && !watch.deployed) {
    throw new StartError(`${watch.variable} must name a file with mode 0600`)
  }
  return { content: readFileSync(watch.path, 'utf8'), stamp: stampOf(stats) }
}

function stampOf(stats: Stats): string {
  return `${stats.ino} ${stats.mtimeMs} ${stats.size}`
}

/** The parsed file. Throws StartError where it cannot be read; `parse` throws its own. */
export function readOnce<T>(watch: Watch, parse: (content: string) => T): T {
  return parse(contentOf(watch).content)
}

function contentOf(watch: Watch) {
  try {
    return readable(watch)
  } catch (error) {
    if (error instanceof StartError) throw error
    throw new StartError(`${watch.variable} names a file that cannot be read`, { cause: error })
  }
}

export type Watched<T> = {
  /** The last good value; the file is read again where the last reading is old enough. */
  current(): T
  /** Looks at once whether the file is another one, where that costs no network: locally. */
  changed(): T
}

/** The file's value, read now and again later; a later one that cannot be parsed leaves the last good one. */
export function watchFile<T>(watch: Watch, parse: (content: string) => T): Watched<T> {
  const everyMs = watch.deployed ? DEPLOYED_MS : LOCAL_MS
  let { stamp, value } = load()
  let readAt = performance.now()

  function load() {
    const read = contentOf(watch)
    return { stamp: read.stamp, value: parse(read.content) }
  }
  function reload(): T {
    try {
      ;({ stamp, value } = load())
      readAt = performance.now()
    } catch {
      readAt = performance.now()
    }
    return value
  }
  function isAnother(): boolean {
    const stats = statSync(watch.path, { throwIfNoEntry: false })
    return stats !== undefined && stampOf(stats) !== stamp
  }
  return {
    current: () => (performance.now() - readAt >= everyMs ? reload() : value),
    changed: () => (!watch.deployed && isAnother() ? reload() : value),
  }
}
