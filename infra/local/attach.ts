/** How a command line tool reaches the local servers: those of what runs on the data directory, or its own. */
import { LocalCloudError } from './data-directory.ts'
import { localEnvironment } from './environment.ts'
import { findRunning } from './find-running.ts'
import { localIndexes } from './indexes.ts'
import { openLocalCloud } from './local-cloud.ts'
import { TIME_TO_LIVE } from './time-to-live.ts'

export type Attached = {
  /** What the stores need in the environment. */
  readonly env: Readonly<Record<string, string>>
  /** Ends servers that were opened for this tool, and no others. */
  close(): Promise<void>
}

/** An `npm start` that is just starting has the directory before it has written its note. */
const STARTING_MS = 10_000
const ASK_EVERY_MS = 100

async function openOwn(dataDir: string): Promise<Attached> {
  const bucket = process.env['PHOTO_BUCKET'] || 'wowmedia-photos'
  const indexes = await localIndexes()
  const cloud = await openLocalCloud({ dataDir, bucket, indexes, ttl: TIME_TO_LIVE })
  return { env: localEnvironment(cloud, dataDir), close: () => cloud.close() }
}

/**
 * The servers of a running `npm start` on this data, else the embedded ones, opened for as long as the tool runs.
 * Throws LocalCloudError where something else holds the directory.
 */
export async function attachLocal(dataDir: string): Promise<Attached> {
  const endsAt = performance.now() + STARTING_MS
  for (;;) {
    const running = await findRunning(dataDir)
    if (running !== undefined) return { env: running.environment, close: async () => undefined }
    try {
      return await openOwn(dataDir)
    } catch (error) {
      if (!(error instanceof LocalCloudError) || performance.now() > endsAt) throw error
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
    }
  }
}
