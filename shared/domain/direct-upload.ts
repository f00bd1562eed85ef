import type { PhotoContentType } from './photo-type.ts'

/** A large photo that its app sends straight into the bucket (contract 6). */
export type DirectUpload = {
  /** 128 random bits, base64url. */
  readonly id: string
  readonly ownerId: string
  /** As declared; the photo has the type that its bytes say. */
  readonly contentType: PhotoContentType
  /** Declared; held of the quota until the upload ends. */
  readonly bytes: number
  /** Declared, lower-case hex. */
  readonly sha256: string | undefined
  readonly originalName: string
  /** Address of the resumable session; undefined until it has been started. */
  readonly sessionUrl: string | undefined
  readonly expiresAt: Date
  /** `over`: refused or cancelled; what was sent is being removed. */
  readonly state: 'open' | 'completed' | 'over'
  /** The pending photo of a complete, or the photo that came of it. */
  readonly photoId: string | undefined
  /** A complete is at work until then, unless it renews. */
  readonly leaseUntil: Date | undefined
  /** When the sweep looks at it. */
  readonly removeAfter: Date
  readonly keyId: string | undefined
}

/**
 * - `complete`: it may be completed now; `abandonedPhotoId` is the attempt of a complete that died.
 * - `running`: another request completes it.
 * - `completed`: it became the photo.
 * - `gone`: unknown, somebody else's, expired, cancelled or refused.
 */
export type CompletionVerdict =
  | { readonly verdict: 'complete'; readonly upload: DirectUpload; readonly sessionUrl: string }
  | { readonly verdict: 'running' | 'gone' }
  | { readonly verdict: 'completed'; readonly photoId: string }

const LIFETIME_MS = 3_600_000
const LEASE_MS = 30_000
const ANSWER_KEPT_MS = 24 * 3_600_000

export function directUploadExpiry(now: Date): Date {
  return new Date(now.getTime() + LIFETIME_MS)
}

/** A complete that dies locks nothing for longer than this; a live one renews well before. */
export function completionLeaseUntil(now: Date): Date {
  return new Date(now.getTime() + LEASE_MS)
}

/** How long a completed upload is remembered, so that a repeat gets its photo. */
export function completionKeptUntil(now: Date): Date {
  return new Date(now.getTime() + ANSWER_KEPT_MS)
}

/** True while a complete is at work. */
export function isLeased(upload: DirectUpload, now: Date): boolean {
  return upload.leaseUntil !== undefined && now.getTime() < upload.leaseUntil.getTime()
}

/** True while its session takes bytes and its complete is awaited. */
export function isOpen(upload: DirectUpload, now: Date): boolean {
  return upload.state === 'open' && now.getTime() < upload.expiresAt.getTime()
}

export function completionVerdict(
  upload: DirectUpload | undefined,
  callerId: string,
  now: Date,
): CompletionVerdict {
  if (upload === undefined || upload.ownerId !== callerId) return { verdict: 'gone' }
  if (upload.state === 'completed' && upload.photoId !== undefined) {
    return { verdict: 'completed', photoId: upload.photoId }
  }
  if (upload.state === 'open' && isLeased(upload, now)) return { verdict: 'running' }
  const { sessionUrl } = upload
  if (!isOpen(upload, now) || sessionUrl === undefined) return { verdict: 'gone' }
  return { verdict: 'complete', upload, sessionUrl }
}
