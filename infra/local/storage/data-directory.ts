import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * Makes the directory and takes it for this process, by an open exclusive transaction on an empty
 * file: the operating system ends that with the process, however it dies, so nothing stale remains.
 * Throws where another server uses the directory.
 */
export function takeDirectory(directory: string): { release(): void } {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const lock = new DatabaseSync(path.join(directory, 'storage-lock.db'), { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    const message = `Another Cloud Storage server already uses ${directory}; stop it first.`
    throw new Error(message, { cause })
  }
  return { release: () => lock.close() }
}
