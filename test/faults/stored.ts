/** What is really stored, read past the proxies. */
import { openDatabase } from '../../shared/store/firestore.ts'
import { openPhotoFiles } from '../../shared/store/photo-files.ts'
import { sweep } from '../../shared/store/sweep.ts'

const DAY_MS = 86_400_000

/** Opens the stores on the servers of `environment`; this process talks to one pair of servers at a time. */
export function openStored(environment: Readonly<Record<string, string>>) {
  Object.assign(process.env, environment)
  const database = openDatabase({
    GOOGLE_CLOUD_PROJECT: environment['GOOGLE_CLOUD_PROJECT'] ?? '',
    FIRESTORE_DATABASE: environment['FIRESTORE_DATABASE'] ?? '',
  })
  const files = openPhotoFiles({ PHOTO_BUCKET: environment['PHOTO_BUCKET'] ?? '' })
  return {
    database,
    files,
    /** Names of all finished objects. */
    objects: async () => (await files.list('', 1000)).map((object) => object.name),
    /** How many documents a collection holds. */
    count: async (collection: string) => {
      const counted = await database.client().collection(collection).count().get()
      return counted.data().count
    },
    /** The sweep as it will be in two days. */
    sweepLater: () =>
      sweep({ database, files, isLate: () => false, now: new Date(Date.now() + 2 * DAY_MS) }),
    /** The sweep as it is now. */
    sweepNow: () => sweep({ database, files, isLate: () => false }),
    close: () => database.client().terminate(),
  }
}
export type Stored = ReturnType<typeof openStored>
