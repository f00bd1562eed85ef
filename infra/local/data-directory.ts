import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Something that keeps the local servers from starting; the message is one line for a person. */
export class LocalCloudError extends Error {
  readonly oneLine = true
}

/**
 * Takes a data directory (made where it is missing) for this process alone, until `release` or the
 * end of the process, however it ends; throws where another one has it. It is an exclusive SQLite
 * transaction on an empty file: the one lock in Node that all systems take back after a kill.
 */
export function lockDataDirectory(dataDir: string): { release(): void } {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const db = new DatabaseSync(path.join(dataDir, 'lock.db'), { timeout: 0 })
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    db.close()
    throw new LocalCloudError(
      `The data directory ${dataDir} is in use. Stop what runs on it, or choose another (WOWMEDIA_DATA_DIR).`,
      { cause },
    )
  }
  return { release: () => db.close() }
}
