/** The sweep on a timer, as Cloud Scheduler runs it when deployed (contract 1). */
import { openDatabase } from '../../shared/store/firestore.ts'
import { openPhotoFiles } from '../../shared/store/photo-files.ts'
import { sweep } from '../../shared/store/sweep.ts'

const EVERY_MS = 15 * 60_000
/** A sweep ends well before the next one. */
const LATE_MS = 4 * 60_000

export type SweepTimer = {
  /** Begins no further sweep and no further batch, and waits for the one that runs. */
  close(): Promise<void>
}

/** Sweeps every 15 minutes what `environment` names; one that fails is followed by the next. */
export function startSweepTimer(environment: Readonly<Record<string, string>>): SweepTimer {
  const { GOOGLE_CLOUD_PROJECT = '', FIRESTORE_DATABASE = '', PHOTO_BUCKET = '' } = environment
  const database = openDatabase({ GOOGLE_CLOUD_PROJECT, FIRESTORE_DATABASE })
  const files = openPhotoFiles({ PHOTO_BUCKET })
  let closing = false
  let running: Promise<unknown> = Promise.resolve()
  const run = () => {
    const startedAt = performance.now()
    const isLate = () => closing || performance.now() - startedAt > LATE_MS
    running = sweep({ database, files, isLate }).catch((error: unknown) => {
      console.error(`The sweep stopped: ${error instanceof Error ? error.message : error}`)
    })
  }
  const timer = setInterval(run, EVERY_MS)
  timer.unref()
  return {
    close: async () => {
      closing = true
      clearInterval(timer)
      await running
    },
  }
}
