/**
 * Objects that no record names. No crash of ours leaves one (a record is always there before its object), so they
 * are looked for in slices, with the place where the last sweep stopped in `sweeps/objects`.
 */
import { isForgotten } from '../domain/orphans.ts'
import { directUploadDocument } from './direct-uploads.ts'
import type { Database } from './firestore.ts'
import { orphanDocument } from './orphans.ts'
import { pendingPhotoDocument } from './pending-photos.ts'
import type { ListedObject, PhotoFiles } from './photo-files.ts'
import { photoDocument } from './photos.ts'

/** Objects that one sweep looks at; at four sweeps an hour 48,000 a day. */
const SLICE = 500
const PHOTO = /^photos\/[A-Za-z0-9_-]+\/([A-Za-z0-9_-]+)$/
const QUARANTINE = /^tmp\/[A-Za-z0-9_-]+\/([A-Za-z0-9_-]+)$/

function cursorDocument(database: Database) {
  return database.client().collection('sweeps').doc('objects')
}

/** Where the last sweep stopped, empty at the start, and Firestore's time. */
export async function readCursor(
  database: Database,
): Promise<{ readonly from: string; readonly readAt: Date }> {
  const { documents, readAt } = await database.getAll(cursorDocument(database))
  const from: unknown = documents[0]?.get('from')
  return { from: typeof from === 'string' ? from : '', readAt }
}

/** The given objects that the collection does not name. */
async function withoutRecord(
  database: Database,
  objects: readonly ListedObject[],
  pattern: RegExp,
  documentOf: typeof photoDocument,
): Promise<readonly ListedObject[]> {
  const named = objects.flatMap((object) => {
    const id = pattern.exec(object.name)?.[1]
    return id === undefined ? [] : [{ object, reference: documentOf(database, id) }]
  })
  if (named.length === 0) return []
  const { documents } = await database.getAll(...named.map(({ reference }) => reference))
  const present = new Set(documents.filter((one) => one.exists).map((one) => one.ref.path))
  return named.filter(({ reference }) => !present.has(reference.path)).map(({ object }) => object)
}

async function unnamedAmong(database: Database, objects: readonly ListedObject[]) {
  // Nearly all have a photo, so nearly all cost one read; after a day none is on its way to one.
  let photos = objects
  for (const documentOf of [photoDocument, orphanDocument, pendingPhotoDocument]) {
    photos = await withoutRecord(database, photos, PHOTO, documentOf)
  }
  const sent = await withoutRecord(database, objects, QUARANTINE, directUploadDocument)
  return [...photos, ...sent]
}

/** Removes what no record names and is over a day old, in the slice from `from` on; the number. Moves the cursor. */
export async function removeUnnamedObjects(
  database: Database,
  files: PhotoFiles,
  from: string,
  now: Date,
): Promise<number> {
  const slice = await files.list(from, SLICE)
  const old = slice.filter((object) => isForgotten(object.createdAt, now))
  const unnamed = await unnamedAmong(database, old)
  for (const { name, generation } of unnamed) await files.remove(name, generation)
  const last = slice.length < SLICE ? undefined : slice.at(-1)
  await database.commit((write) => write.set(cursorDocument(database), { from: last?.name ?? '' }))
  return unnamed.length
}
