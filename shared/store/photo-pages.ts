import type { PagePosition } from '../domain/page.ts'
import type { Photo } from '../domain/photo.ts'
import type { Database } from './firestore.ts'
import { listPhotos } from './photos.ts'

const SIZE = 100

/** All photos of a user, newest first, a hundred at a time. */
export async function* photoPages(
  database: Database,
  userId: string,
): AsyncIterable<readonly Photo[]> {
  let after: PagePosition | undefined
  do {
    const page = await listPhotos(database, userId, { size: SIZE, after })
    yield page.photos
    after = page.next
  } while (after !== undefined)
}
