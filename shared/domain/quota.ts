/** What a user's photos take, and what uploads under way hold (contract 6, UP-15). */
export type Usage = {
  /** Visible photos. */
  readonly photoCount: number
  readonly photoBytes: number
  /** Uploads that may still become photos. */
  readonly reservedCount: number
  readonly reservedBytes: number
}

export type Quota = { readonly count: number; readonly bytes: number }

export const NO_USAGE: Usage = { photoCount: 0, photoBytes: 0, reservedCount: 0, reservedBytes: 0 }

/** A form around the file: boundaries, part headers and small fields (UP-03). */
const FORM_BYTES = 64 * 1024

/**
 * Bytes that an upload holds while it runs, or undefined where the quota has no place for it.
 * `declaredBytes` is the length of the request, which may have a form around the photo: one that is over
 * what is left by no more than a form holds what is left. Who stores more than was held is over the quota.
 */
export function bytesToReserve(
  usage: Usage,
  quota: Quota,
  upload: { readonly declaredBytes: number | undefined; readonly maxBytes: number },
): number | undefined {
  if (usage.photoCount + usage.reservedCount >= quota.count) return undefined
  const left = quota.bytes - usage.photoBytes - usage.reservedBytes
  const declared = Math.max(1, upload.declaredBytes ?? 1)
  if (left < 1 || declared - FORM_BYTES > left) return undefined
  return Math.min(left, upload.maxBytes, upload.declaredBytes === undefined ? left : declared)
}
