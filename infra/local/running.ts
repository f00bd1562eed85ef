/** A note in the data directory about the `npm start` that runs on it, for the command line tools. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type Running = {
  readonly pid: number
  readonly url: string
  /** What a tool needs to reach the same servers. */
  readonly environment: Readonly<Record<string, string>>
}

function noteIn(dataDir: string): string {
  return join(dataDir, 'running.json')
}

export async function writeRunning(dataDir: string, running: Running): Promise<void> {
  const note = noteIn(dataDir)
  await writeFile(`${note}.new`, JSON.stringify(running, null, 2), { mode: 0o600 })
  await rename(`${note}.new`, note)
}

export async function removeRunning(dataDir: string): Promise<void> {
  await rm(noteIn(dataDir), { force: true })
}

function isStringRecord(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).every((member) => typeof member === 'string')
}

function isRunning(value: unknown): value is Running {
  if (typeof value !== 'object' || value === null) return false
  if (!('pid' in value && 'url' in value && 'environment' in value)) return false
  return (
    typeof value.pid === 'number' &&
    typeof value.url === 'string' &&
    isStringRecord(value.environment)
  )
}

/** The note, or undefined where there is none or it cannot be read; it may be stale after a `kill -9`. */
export async function readRunning(dataDir: string): Promise<Running | undefined> {
  const text = await readFile(noteIn(dataDir), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isRunning(value) ? value : undefined
  } catch {
    return undefined
  }
}
