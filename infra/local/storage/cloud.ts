import type { DatabaseSync } from 'node:sqlite'
import type { BucketRows } from './bucket-rows.ts'
import type { Hasher } from './hasher.ts'
import type { LiveUploads } from './live-uploads.ts'
import type { ObjectStore } from './object-store.ts'
import type { Pace } from './pump.ts'
import type { SessionRows } from './session-rows.ts'

/** What the handlers of one server share. */
export type Cloud = {
  readonly db: DatabaseSync
  readonly objects: ObjectStore
  readonly buckets: BucketRows
  readonly sessions: SessionRows
  readonly live: LiveUploads
  readonly hasher: Hasher
  /** Client e-mail to public key (PEM): who may sign addresses. */
  readonly signers: ReadonlyMap<string, string>
  readonly pace: Pace
  readonly log: (line: string) => void
}
