/** At the end: records, objects and counters against what the phones know (no lost photo, no ghost). */
import type { Usage } from '../../shared/domain/quota.ts'
import { usageOf } from '../../shared/store/usage.ts'
import type { Stored } from '../faults/stored.ts'
import type { Phone } from './phone.ts'
import type { Happenings } from './record.ts'

const PAGE = 1000
const SLICE = 500

async function allObjects({ files }: Stored): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  for (let from = ''; ; ) {
    const page = await files.list(from, PAGE)
    for (const { name } of page) names.add(name)
    const last = page.at(-1)?.name
    if (page.length < PAGE || last === undefined) return names
    from = `${last}-`
  }
}

/** Object name of each photo record by its owner and id. */
async function allPhotos({ database }: Stored) {
  const found = await database.client().collection('photos').get()
  return found.docs.map((document) => ({
    id: document.id,
    ownerId: String(document.get('owner_id')),
    objectName: String(document.get('object_name')),
    bytes: Number(document.get('bytes')),
  }))
}

type Photos = Awaited<ReturnType<typeof allPhotos>>

function compareObjects(photos: Photos, objects: ReadonlySet<string>, record: Happenings): void {
  const named = new Set(photos.map(({ objectName }) => objectName))
  for (const name of named) {
    if (!objects.has(name)) record.violation(`a record without its object: ${name}`)
  }
  for (const name of objects) {
    if (!named.has(name)) record.violation(`an object without a record: ${name}`)
  }
}

function compareOwners(photos: Photos, phones: readonly Phone[], record: Happenings): void {
  const ids = new Set(photos.map(({ id }) => id))
  for (const phone of phones) {
    for (const [name, { id }] of phone.photos) {
      if (!ids.has(id)) record.violation(`lost: ${name} of ${phone.username}`)
    }
  }
  const owners = new Set(phones.map(({ userId }) => userId))
  for (const { id, ownerId } of photos) {
    if (!owners.has(ownerId)) record.violation(`ghost: photo ${id} of nobody`)
  }
}

async function compareUsage(
  { database }: Stored,
  photos: Photos,
  phones: readonly Phone[],
  record: Happenings,
): Promise<void> {
  for (const phone of phones) {
    const own = photos.filter(({ ownerId }) => ownerId === phone.userId)
    const stored = usageOf(await database.client().collection('usage').doc(phone.userId).get())
    const wanted: Usage = {
      photoCount: own.length,
      photoBytes: own.reduce((sum, { bytes }) => sum + bytes, 0),
      reservedCount: 0,
      reservedBytes: 0,
    }
    const seen = JSON.stringify(stored)
    if (seen !== JSON.stringify(wanted)) {
      record.violation(`usage of ${phone.username} is ${seen}, not ${JSON.stringify(wanted)}`)
    }
  }
}

const LEFT_BEHIND = ['pending_photos', 'orphans', 'direct_uploads'] as const

/** Sweeps as in two days, then compares all that is stored. */
export async function compareStored(
  stored: Stored,
  phones: readonly Phone[],
  record: Happenings,
): Promise<void> {
  const before = await allObjects(stored)
  for (let slice = 0; slice <= before.size / SLICE + 1; slice += 1) await stored.sweepLater()
  const [photos, objects] = [await allPhotos(stored), await allObjects(stored)]
  compareObjects(photos, objects, record)
  compareOwners(photos, phones, record)
  await compareUsage(stored, photos, phones, record)
  for (const collection of LEFT_BEHIND) {
    const left = await stored.count(collection)
    if (left > 0) record.violation(`${left} left in ${collection}`)
  }
  const users = await stored.count('users')
  if (users !== phones.length) record.violation(`${users} users, not ${phones.length}`)
}
