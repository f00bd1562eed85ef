/** What a process holds, read from /proc; undefined where there is none (macOS, Windows). */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export type Holding = { readonly megabytes: number; readonly descriptors: number }

export async function holdingOf(pid: number): Promise<Holding | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const descriptors = await readdir(`/proc/${pid}/fd`)
    const kilobytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1])
    return { megabytes: Math.round(kilobytes / 1024), descriptors: descriptors.length }
  } catch {
    return undefined
  }
}

/** Files of uploads under way in the local bucket, and whatever the functions left in their temporary folder. */
export async function temporaryFiles(dataDir: string, scratch: string): Promise<readonly string[]> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true })
  const under = (folder: string) => folder.split(/[/\\]/).includes('tmp')
  return entries
    .filter((entry) => entry.isFile())
    .filter(({ parentPath }) => under(parentPath.slice(dataDir.length)) || parentPath === scratch)
    .map(({ parentPath, name }) => join(parentPath.slice(dataDir.length), name))
}
