/**
 * `rate_limits/{id}`: sliding window logs, one document per limited thing (RL-01). Ids are keyed hashes of addresses
 * and names, or a purpose and a user id. `hits` and the document's other fields are not indexed.
 */
import { randomInt } from 'node:crypto'
import type { Rate } from '../domain/rate.ts'
import {
  longestWindowMs,
  MARKS,
  openAdmission,
  type WindowVerdict,
} from '../domain/sliding-window.ts'
import type { Database, DocumentReference, DocumentSnapshot, Transaction } from './firestore.ts'
import { untilWon } from './rounds.ts'
import { inTurn } from './turns.ts'

const COLLECTION = 'rate_limits'
const HOUR_MS = 3_600_000

/** A random mark for `openAdmission`; made outside of a transaction's closure. */
export function newMark(): number {
  return randomInt(MARKS)
}

/** The document of one limit; `id` is URL-safe and at most 128 characters. */
export function rateLimitDocument(database: Database, id: string): DocumentReference {
  return database.client().collection(COLLECTION).doc(id)
}

/** Limits of one user have ids that deletion can name: `upload.{uid}`, `password.{uid}`, `export.{uid}`. */
export const USER_LIMITS = ['upload', 'password', 'export'] as const

export function userLimitId(limit: (typeof USER_LIMITS)[number], userId: string): string {
  return `${limit}.${userId}`
}

/** The stored log of a window document, for `Admission.decide`; undefined where there is none. */
export function storedHits(document: DocumentSnapshot): Uint8Array | undefined {
  const hits: unknown = document.get('hits')
  return hits instanceof Uint8Array ? hits : undefined
}

/** The whole content of a window document after an admitted verdict of `decide` at the same `nowMs`. */
export function windowFields(
  verdict: WindowVerdict,
  rates: readonly Rate[],
  nowMs: number,
): { readonly hits: Uint8Array; readonly purge_at: Date } {
  return { hits: verdict.hits, purge_at: new Date(nowMs + longestWindowMs(rates) + HOUR_MS) }
}

/** Writes all fields of a document, provided that it is still as it was read. */
export function writeUnchanged(
  transaction: Transaction,
  read: DocumentSnapshot,
  fields: Readonly<Record<string, unknown>>,
): void {
  const { updateTime } = read
  if (updateTime === undefined) transaction.create(read.ref, fields)
  else transaction.update(read.ref, fields, { lastUpdateTime: updateTime })
}

/** A window that is read together with other documents and counted by a commit of its own. */
export type OpenWindow = {
  /** For the caller's `getAll`. */
  readonly reference: DocumentReference
  /** What the plain read says, without counting: a full window needs no write. */
  judge(read: DocumentSnapshot, readAt: Date): WindowVerdict
  /**
   * Counts it in one commit on top of the judged read; one more read and commit for each race that is lost.
   * The verdict is a refusal where others were faster. Throws `unavailable` under lasting contention.
   */
  count(): Promise<WindowVerdict>
}

/** One request for a place in the window `id`. */
export function openWindow(database: Database, id: string, rates: readonly Rate[]): OpenWindow {
  const reference = rateLimitDocument(database, id)
  const admission = openAdmission(newMark())
  const decide = (read: DocumentSnapshot, readAt: Date) => {
    const atMs = readAt.getTime()
    return { read, atMs, verdict: admission.decide(storedHits(read), rates, atMs) }
  }
  const readAgain = async () => {
    const { documents, readAt } = await database.getAll(reference)
    const [read] = documents
    if (read === undefined) throw new TypeError('a read answers each reference')
    return decide(read, readAt)
  }
  let judged: ReturnType<typeof decide> | undefined
  const countOnce = async () => {
    const { read, atMs, verdict } = judged ?? (await readAgain())
    judged = undefined
    if (!verdict.admitted || verdict.repeated) return verdict
    const fields = windowFields(verdict, rates, atMs)
    const outcome = await database.commit((write) => writeUnchanged(write, read, fields))
    return outcome === 'committed' ? verdict : outcome
  }
  return {
    reference,
    judge: (read, readAt) => {
      judged = decide(read, readAt)
      return judged.verdict
    },
    count: () => inTurn(reference.path, () => untilWon(countOnce)),
  }
}

/** Takes a place in the window `id` if there is one: one read, and one commit where it is admitted. */
export async function takePlaceIn(
  database: Database,
  id: string,
  rates: readonly Rate[],
): Promise<WindowVerdict> {
  return await openWindow(database, id, rates).count()
}
