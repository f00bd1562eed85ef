/** A direct upload from quarantine to its photo (contract 6): the same checks, the same removal, the same record. */
import type { Received } from './crypto/received-bytes.ts'
import type { DirectUpload } from './domain/direct-upload.ts'
import { type Photo, quarantineName } from './domain/photo.ts'
import { ProblemError } from './domain/problem.ts'
import { type IncomingBytes, type Intake, takeIn } from './photo-intake.ts'
import { beginCompletion, type Completable, findCompletable } from './store/direct-completion.ts'
import { closeDirectUpload, discardDirectUpload } from './store/direct-removal.ts'
import {
  completeDirectUpload,
  endDirectUpload,
  openDirectUpload,
  unleaseDirectUpload,
  withdrawDirectUpload,
} from './store/direct-uploads.ts'
import type { Transaction } from './store/firestore.ts'
import { findPhoto } from './store/photos.ts'
import { askSession, type BucketObject, cancelSession } from './store/upload-session.ts'

export type Completion = Pick<Intake, 'database' | 'files' | 'maxPixels' | 'cutOff'> & {
  readonly callerId: string
  readonly uploadId: string
  /** Id of the photo that it becomes. */
  readonly photoId: string
}

/** Refusals of the photo itself: with one of them the upload is over. */
const VERDICTS: readonly string[] = [
  'file_empty',
  'unsupported_image_type',
  'image_damaged',
  'photo_too_many_pixels',
  'upload_mismatch',
  'quota_exceeded',
]

/**
 * Makes the photo of a direct upload; one that was made before is `repeated`. Throws `not_found`,
 * `upload_incomplete`, `upload_mismatch`, `idempotency_key_in_use` where another request is at work, and as `takeIn`.
 */
export async function completeUpload(
  completion: Completion,
): Promise<{ readonly photo: Photo; readonly repeated: boolean }> {
  const { database, callerId, uploadId } = completion
  const found = await findCompletable(database, callerId, uploadId)
  if (found.outcome === 'completed') {
    const photo = await findPhoto(database, callerId, found.photoId)
    if (photo === undefined) throw new ProblemError('not_found')
    return { photo, repeated: true }
  }
  const object = await sentObject(completion, found)
  return { photo: await takeFromQuarantine(completion, found, object), repeated: false }
}

/**
 * Starts the session that the app sends to; its address. The upload is open from then on, or, where this fails,
 * withdrawn. Throws `unavailable`, `idempotency_key_in_use` where it was given up meanwhile.
 */
export async function startUpload(
  { database, files }: Pick<Completion, 'database' | 'files'>,
  { upload, at }: { readonly upload: DirectUpload; readonly at: Date },
  requestSha256: string,
  origin: string | undefined,
): Promise<string> {
  const { id, contentType, bytes } = upload
  const name = quarantineName(upload.ownerId, id)
  try {
    const address = await files.startSession({ name, contentType, uploadId: id, bytes, origin })
    const outcome = await openDirectUpload(database, upload, address, requestSha256, at)
    if (outcome === 'committed') return address
    await cancelSession(address)
    throw new ProblemError('idempotency_key_in_use', { retryAfterSeconds: 2 })
  } catch (error) {
    await withdrawDirectUpload(database, upload).catch(() => undefined)
    throw error
  }
}

/** What the app has sent. Without all of it the upload stays open; cancelled by the app it is over. */
async function sentObject(completion: Completion, found: Completable): Promise<BucketObject> {
  const { database, files } = completion
  const { upload, sessionUrl, at } = found
  const object = await files.find(quarantineName(upload.ownerId, upload.id))
  if (object !== undefined) return object
  const session = await askSession(sessionUrl)
  if (session.state === 'finished') return session.object
  if (session.state === 'open')
    throw new ProblemError('upload_incomplete', { retryAfterSeconds: 5 })
  if (await closeDirectUpload(database, upload.id, at)) await discard(completion, upload)
  throw new ProblemError('not_found')
}

async function takeFromQuarantine(
  completion: Completion,
  found: Completable,
  object: BucketObject,
): Promise<Photo> {
  const { database, files, photoId } = completion
  const { upload, at } = found
  const name = quarantineName(upload.ownerId, upload.id)
  const pending = await beginCompletion(database, found, photoId)
  const intake: Intake = {
    ...completion,
    admission: { pending, at },
    judge: (received) => mismatch(upload, received),
    published: (write) => completeDirectUpload(write, database, upload.id),
    givenUp: (write, reason) => giveBack(completion, found, write, reason),
  }
  const receive = async (): Promise<IncomingBytes> => ({
    fileName: upload.originalName,
    stream: files.read(name, object.generation),
  })
  try {
    const photo = await takeIn(intake, receive)
    // Left to the sweep where it fails: the photo is there.
    await files.remove(name).catch(() => undefined)
    return photo
  } catch (error) {
    if (isVerdict(error)) await discard(completion, upload)
    throw error
  }
}

function mismatch(upload: DirectUpload, received: Received): ProblemError | undefined {
  const sameBytes = received.bytes === upload.bytes
  const sameHash = upload.sha256 === undefined || received.sha256 === upload.sha256
  return sameBytes && sameHash ? undefined : new ProblemError('upload_mismatch')
}

function isVerdict(reason: unknown): boolean {
  return reason instanceof ProblemError && VERDICTS.includes(reason.code)
}

function giveBack(
  { database }: Completion,
  { upload, at }: Completable,
  write: Transaction,
  reason: unknown,
): void {
  if (isVerdict(reason)) endDirectUpload(write, database, upload, at)
  else unleaseDirectUpload(write, database, upload.id)
}

/** What cannot be removed now is left to the sweep, which finds the record. */
async function discard({ database, files }: Completion, upload: DirectUpload): Promise<void> {
  await discardDirectUpload(database, files, upload).catch(() => undefined)
}
