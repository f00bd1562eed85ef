import { randomBytes } from 'node:crypto'

/** 128 random bits as 22 characters of `A-Za-z0-9_-`; never of the form `__…__`, which Firestore keeps for itself. */
export function randomId(): string {
  return randomBytes(16).toString('base64url')
}
