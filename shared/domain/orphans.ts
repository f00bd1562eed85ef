/**
 * What a crash leaves, and when it is certain that nobody comes back for it (UP-13). Records are removed by
 * the time that stands in them; objects without a record by their own age.
 */

const MINUTE_MS = 60_000
/** A request ends after 5 minutes; thrice that is beyond every clock and pause. */
const PENDING_MS = 15 * MINUTE_MS
const UNNAMED_OBJECT_MS = 24 * 60 * MINUTE_MS

/** When the sweep may remove a pending photo whose upload was last heard of at `renewedAt`. */
export function pendingUntil(renewedAt: Date): Date {
  return new Date(renewedAt.getTime() + PENDING_MS)
}

/** When the sweep may remove a direct upload; a complete that began before the expiry has ended by then. */
export function directUploadUntil(expiresAt: Date): Date {
  return new Date(expiresAt.getTime() + PENDING_MS)
}

/** True for an object so old that a record that will name it cannot still be on its way. */
export function isForgotten(createdAt: Date, now: Date): boolean {
  return now.getTime() - createdAt.getTime() > UNNAMED_OBJECT_MS
}
