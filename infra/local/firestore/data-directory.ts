import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * Makes the directory and takes it for this process, by an open exclusive transaction on a file of
 * its own: the operating system ends that with the process, however it dies, so nothing stale remains.
 * Throws when another process (or this one) serves the directory already.
 */
export function takeDirectory(directory: string): { release(): void } {
  mkdirSync(directory, { recursive: true })
  const lock = new DatabaseSync(join(directory, 'firestore-lock.db'), { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    throw new Error(`Another Firestore server already uses ${directory}; stop it first.`, { cause })
  }
  return { release: () => lock.close() }
}
