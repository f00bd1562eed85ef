/** The admission of `POST /uploads`: its claim is the direct upload itself, which holds its bytes until it ends. */
import { createHash } from 'node:crypto'
import { type DirectUpload, directUploadExpiry, isOpen } from '../domain/direct-upload.ts'
import { directUploadUntil } from '../domain/orphans.ts'
import type { PhotoContentType } from '../domain/photo-type.ts'
import { createDirectUpload, directUploadDocument, readDirectUpload } from './direct-uploads.ts'
import type { Database } from './firestore.ts'
import {
  type Admission,
  type Admitted,
  type Attempt,
  admitUpload,
  type Repeat,
  type UploadLimits,
} from './upload-admission.ts'

export type DirectStart = {
  readonly userId: string
  /** Id of the upload, if it is admitted. */
  readonly uploadId: string
  readonly contentType: PhotoContentType
  readonly bytes: number
  readonly sha256: string | undefined
  readonly originalName: string
  readonly keyId: string | undefined
}

/** `repeat`: of a key whose upload is open. */
export type DirectAdmission =
  | Exclude<Admission, Admitted | Repeat>
  | (Admitted & { readonly upload: DirectUpload })
  | (Repeat & { readonly upload: DirectUpload })

function uploadOf(start: DirectStart, at: Date): DirectUpload {
  const expiresAt = directUploadExpiry(at)
  return {
    id: start.uploadId,
    ownerId: start.userId,
    contentType: start.contentType,
    bytes: start.bytes,
    sha256: start.sha256,
    originalName: start.originalName,
    sessionUrl: undefined,
    expiresAt,
    state: 'open',
    photoId: undefined,
    leaseUntil: undefined,
    removeAfter: directUploadUntil(expiresAt),
    keyId: start.keyId,
  }
}

/** The same for the same request; tells another one with the same key. */
export function fingerprintOf(start: DirectStart): string {
  const { contentType, bytes, sha256, originalName } = start
  const text = JSON.stringify([contentType, bytes, sha256 ?? null, originalName])
  return createHash('sha256').update(text).digest('hex')
}

/** Admits a direct upload and writes its record. Throws as `admitUpload` does. */
export async function admitDirectUpload(
  database: Database,
  start: DirectStart,
  limits: UploadLimits,
): Promise<DirectAdmission> {
  let repeated: DirectUpload | undefined
  const attempt: Attempt = {
    create: (write, { at }) => createDirectUpload(write, database, uploadOf(start, at)),
    giveUp: (uploadId) => giveUp(database, uploadId),
    stands: async ({ attemptId }) => {
      const { upload, readAt } = await readDirectUpload(database, attemptId)
      repeated = upload !== undefined && isOpen(upload, readAt) ? upload : undefined
      return repeated !== undefined
    },
  }
  const asked = { declaredBytes: start.bytes, formBytes: 0, maxBytes: start.bytes }
  const request = { ...asked, userId: start.userId, attemptId: start.uploadId, keyId: start.keyId }
  const admission = await admitUpload(database, request, attempt, limits)
  if (admission.outcome === 'limited') return admission
  if (admission.outcome === 'admitted') {
    return { ...admission, upload: uploadOf(start, admission.at) }
  }
  if (repeated === undefined) throw new TypeError('a repeat has an upload')
  return { ...admission, upload: repeated }
}

/** A holder that died before it had started its session, or before it could say so: nobody has its address. */
async function giveUp(database: Database, uploadId: string) {
  const { upload } = await readDirectUpload(database, uploadId)
  if (upload === undefined) return undefined
  return {
    reservedBytes: upload.bytes,
    write: (write: Parameters<Attempt['create']>[0]) =>
      write.delete(directUploadDocument(database, uploadId), { exists: true }),
  }
}
