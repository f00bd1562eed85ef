/**
 * One photo from its bytes to its record, all or nothing (contract 6): the cleaned bytes go into an object while
 * they arrive, the object is complete only once the whole photo was checked, and the last commit shows it.
 */
import { type Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setFlagsFromString } from 'node:v8'
import { type Received, ReceivedBytes } from './crypto/received-bytes.ts'
import { RENEW_MS } from './domain/idempotency.ts'
import { displayName, type Photo } from './domain/photo.ts'
import { ProblemError } from './domain/problem.ts'
import { PhotoCleaner, type PhotoFacts } from './image/photo-cleaner.ts'
import type { Database, Transaction } from './store/firestore.ts'
import type { PendingPhoto } from './store/pending-photos.ts'
import type { PhotoFiles } from './store/photo-files.ts'
import { giveUpPendingPhoto, publishPhoto, renewPendingPhoto } from './store/photos.ts'
import { type SentObject, sendThrough } from './store/upload-session.ts'

/**
 * A chunk that waits for the bucket outlives the young generation, and by default V8 lets 64 MB of such buffers pile
 * up behind 32 uploads before it looks: measured 80 MB above the process at rest, with this 37.
 */
setFlagsFromString('--heap-growing-percent=60')

export type Intake = {
  readonly database: Database
  readonly files: PhotoFiles
  /** `pending` was written at `at`, in Firestore's time; later times are reckoned from it (RL-03). */
  readonly admission: { readonly pending: PendingPhoto; readonly at: Date }
  readonly maxPixels: number
  /** Refuses what was received once all of it is there, before the object is complete. */
  judge?(received: Received): ProblemError | undefined
  /** Told of bytes that were cut off behind the image of a photo that is visible now (UP-08). */
  cutOff?(bytes: number): void
  /** Further writes of the last commit. */
  readonly published?: (write: Transaction) => void
  /** Further writes of the commit that gives the upload up for this reason. */
  readonly givenUp?: (write: Transaction, reason: unknown) => void
}

/** The client's name for the file, as it was sent, and its bytes. */
export type IncomingBytes = { readonly fileName: string | undefined; readonly stream: Readable }

type Stored = {
  readonly object: SentObject
  readonly facts: PhotoFacts
  readonly received: Received | undefined
}

/**
 * Takes a photo in. Whatever it fails with, nothing of the photo is visible, what it held is free, and its object
 * is gone or an orphan. Throws what `source` fails with, the refusals of PhotoCleaner, `quota_exceeded`,
 * `idempotency_key_in_use` or `session_ended` where it was given up by others meanwhile, `unavailable`.
 */
export async function takeIn(
  intake: Intake,
  receive: () => Promise<IncomingBytes>,
): Promise<Photo> {
  const { database, admission } = intake
  const { pending } = admission
  const clock = clockFrom(admission.at)
  const isAwaited = pending.keyId !== undefined || pending.directUploadId !== undefined
  const received = isAwaited ? new ReceivedBytes(intake.judge) : undefined
  const cleaner = new PhotoCleaner({ maxPixels: intake.maxPixels })
  const lease = received && holdLease(intake, clock, received)
  try {
    const { fileName, stream } = await receive()
    const stored = await store(intake, stream, received, cleaner)
    const photo = photoOf(pending, displayName(fileName), stored, clock())
    const outcome = await publishPhoto(database, pending, photo, intake.published)
    if (outcome === 'lost') throw givenUpMeanwhile(pending)
    const { trailingBytes } = stored.facts
    if (trailingBytes > 0) intake.cutOff?.(trailingBytes)
    return photo
  } catch (error) {
    await giveUp(intake, error, { mayExist: cleaner.readableEnded, removeAfter: clock() })
    throw error
  } finally {
    clearInterval(lease)
  }
}

/** Reads a body to its end without keeping it; for the repeat of a key, whose photo is there already. */
export async function receiveOnly(source: Readable): Promise<Received> {
  const received = new ReceivedBytes()
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  await pipeline(source, received, nowhere)
  return received.received
}

function clockFrom(time: Date): () => Date {
  const startedAt = performance.now()
  return () => new Date(time.getTime() + performance.now() - startedAt)
}

async function store(
  intake: Intake,
  source: Readable,
  received: ReceivedBytes | undefined,
  cleaner: PhotoCleaner,
): Promise<Stored> {
  const stages = received === undefined ? [cleaner] : [received, cleaner]
  const arriving = pipeline([source, ...stages])
  // Its failure reaches whoever reads the cleaner, who may not have begun yet.
  arriving.catch(() => undefined)
  const { id, objectName, reservedBytes } = intake.admission.pending
  const contentType = await cleaner.contentType()
  const address = await intake.files.startSession({ name: objectName, contentType, uploadId: id })
  const object = await sendThrough(address, cleaner, reservedBytes)
  await arriving
  return { object, facts: cleaner.facts, received: received?.received }
}

function photoOf(
  pending: PendingPhoto,
  originalName: string,
  { object, facts, received }: Stored,
  now: Date,
): Photo {
  return {
    id: pending.id,
    ownerId: pending.ownerId,
    objectName: pending.objectName,
    generation: object.generation,
    contentType: facts.contentType,
    bytes: object.bytes,
    width: facts.width,
    height: facts.height,
    sha256: object.sha256,
    receivedSha256: received?.sha256,
    createdAt: now,
    takenAt: facts.takenAt,
    originalName,
    keyId: pending.keyId,
  }
}

/**
 * Tells repeats that this upload lives; ends it where one of them or the sweep has given it up. Nobody waits for an
 * upload without a key, and the sweep waits for longer than any takes.
 */
function holdLease(
  { database, admission: { pending } }: Intake,
  clock: () => Date,
  bytes: ReceivedBytes,
): NodeJS.Timeout {
  const renew = async () => {
    const outcome = await renewPendingPhoto(database, pending, clock())
    if (outcome === 'lost') bytes.destroy(givenUpMeanwhile(pending))
  }
  // One that fails is followed by the next, well before the lease ends.
  return setInterval(() => void renew().catch(() => undefined), RENEW_MS)
}

function givenUpMeanwhile(pending: PendingPhoto): ProblemError {
  if (pending.keyId === undefined) return new ProblemError('session_ended')
  return new ProblemError('idempotency_key_in_use', { retryAfterSeconds: 2 })
}

/** What cannot be given up now is left to the sweep, which finds the pending record. */
async function giveUp(
  intake: Intake,
  reason: unknown,
  object: { readonly mayExist: boolean; readonly removeAfter: Date },
): Promise<void> {
  const also = (write: Transaction) => intake.givenUp?.(write, reason)
  const { database, admission } = intake
  await giveUpPendingPhoto(database, admission.pending, object, also).catch(() => undefined)
}
