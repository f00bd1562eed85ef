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

/** How much a form around the file may add to it: boundaries, part headers and small fields (UP-03). */
export const FORM_BYTES = 64 * 1024

export type AskedSpace = {
  /** Undefined where the request does not say how long it is. */
  readonly declaredBytes: number | undefined
  /** How much of what is declared may be something else than the photo. */
  readonly formBytes: number
  readonly maxBytes: number
}

/**
 * Bytes that an upload holds while it runs, or undefined where the quota has no place for it: what is declared,
 * without that the largest photo, and less only where less is left and the photo may still fit. Who then stores
 * more than is held is over the quota.
 */
export function bytesToReserve(usage: Usage, quota: Quota, asked: AskedSpace): number | undefined {
  if (usage.photoCount + usage.reservedCount >= quota.count) return undefined
  const left = quota.bytes - usage.photoBytes - usage.reservedBytes
  const least = Math.max(1, (asked.declaredBytes ?? 1) - asked.formBytes)
  if (least > left) return undefined
  return Math.min(left, asked.maxBytes, Math.max(1, asked.declaredBytes ?? asked.maxBytes))
}
