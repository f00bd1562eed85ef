/** Many accounts with photo records, written by the SDK in large commits: as `register` and `upload` leave them. */
import { objectName, type Photo } from '../../shared/domain/photo.ts'
import { ProblemError } from '../../shared/domain/problem.ts'
import { NO_USAGE } from '../../shared/domain/quota.ts'
import type { Database, Transaction } from '../../shared/store/firestore.ts'
import { photoFields } from '../../shared/store/photo-record.ts'
import { photoDocument } from '../../shared/store/photos.ts'
import { usageDocument, usageFields } from '../../shared/store/usage.ts'
import { reserveUsername } from '../../shared/store/usernames.ts'
import { createUser } from '../../shared/store/users.ts'

export const PHOTOS_EACH = 10
const PHOTO_BYTES = 2_000_000
/** Accounts of one commit, of 13 documents each: few enough to be written well within the deadline of a call. */
const ACCOUNTS_AT_ONCE = 16
const COMMITS_AT_ONCE = 4
/** How often a commit may be too slow. */
const PATIENCE = 20

/** Ids as long as real ones, in an order that says nothing. */
function idOf(kind: string, number: number): string {
  return Buffer.from(`${kind}${Math.imul(number, 2_654_435_761) >>> 0}-${number}`)
    .toString('base64url')
    .padEnd(22, 'A')
    .slice(0, 22)
}

function photoOf(ownerId: string, id: string, createdAt: Date): Photo {
  return {
    id,
    ownerId,
    objectName: objectName(ownerId, id),
    generation: '1',
    contentType: 'image/jpeg',
    bytes: PHOTO_BYTES,
    width: 4000,
    height: 3000,
    sha256: '0'.repeat(64),
    receivedSha256: '1'.repeat(64),
    createdAt,
    originalName: 'beach.jpg',
  }
}

/** `count` photo records of one user, whose usage then says so. */
export function addPhotos(
  write: Transaction,
  database: Database,
  ownerId: string,
  count: number,
): void {
  for (let at = 0; at < count; at += 1) {
    const id = idOf(ownerId.slice(0, 6), at)
    const createdAt = new Date(Date.UTC(2026, 0, 1) + at * 1000)
    write.create(photoDocument(database, id), photoFields(photoOf(ownerId, id, createdAt)))
  }
  write.set(
    usageDocument(database, ownerId),
    usageFields({ ...NO_USAGE, photoCount: count, photoBytes: count * PHOTO_BYTES }),
  )
}

function addAccount(write: Transaction, database: Database, number: number): void {
  const [userId, username] = [idOf('u', number), `filler-${number}`]
  const createdAt = new Date(Date.UTC(2025, 0, 1) + number)
  const shared = { counterId: idOf('c', number), sessionEpoch: 0, createdAt }
  reserveUsername(write, database, {
    ...shared,
    ...{ username, userId, passwordHash: 'nobody logs in', operationId: '' },
  })
  const user = { ...shared, id: userId, username, role: 'user', deletingAt: undefined } as const
  createUser(write, database, user)
  for (let at = 0; at < PHOTOS_EACH; at += 1) {
    const photo = photoOf(userId, idOf('p', number * PHOTOS_EACH + at), createdAt)
    write.create(photoDocument(database, photo.id), photoFields(photo))
  }
  const taken = { photoCount: PHOTOS_EACH, photoBytes: PHOTOS_EACH * PHOTO_BYTES }
  write.create(usageDocument(database, userId), usageFields({ ...NO_USAGE, ...taken }))
}

/** `lost` is a repeat whose first commit was done and too slow to say so; the count at the end tells. */
async function written(database: Database, write: (transaction: Transaction) => void) {
  for (let again = 0; again < PATIENCE; again += 1) {
    const outcome = await database.commit(write).catch((error: unknown) => {
      if (error instanceof ProblemError && error.code === 'unavailable') return 'again'
      throw error
    })
    if (outcome !== 'again') return
  }
  throw new Error('the store is too slow to be filled')
}

/** Writes so many accounts with ten photo records each. */
export async function fill(database: Database, accounts: number): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < accounts) {
      const from = next
      next = Math.min(accounts, from + ACCOUNTS_AT_ONCE)
      const to = next
      await written(database, (write) => {
        for (let number = from; number < to; number += 1) addAccount(write, database, number)
      })
    }
  }
  await Promise.all(Array.from({ length: COMMITS_AT_ONCE }, work))
  const counted = await database.client().collection('usage').count().get()
  if (counted.data().count !== accounts) throw new Error(`${counted.data().count} accounts`)
}
