import type { DatabaseSync } from 'node:sqlite'
import { Blobs } from './blobs.ts'
import { openClock, text, transact } from './database.ts'
import { StorageError } from './errors.ts'
import type { Digest } from './hashes.ts'
import { type ObjectRows, openObjectRows, type StoredObject } from './object-rows.ts'
import { type Preconditions, requireMet } from './preconditions.ts'
import type { ObjectSettings } from './settings.ts'

/** A new object or a new version of one, whose bytes lie synced in the upload file. */
export type NewObject = {
  bucket: string
  name: string
  settings: ObjectSettings
  conditions: Preconditions
  digest: Digest
  components?: number
  /** Removed in the same step: a move. */
  instead?: StoredObject
}

/**
 * Objects as a whole: rows and blobs. Every write is one synchronous step, conditions included, so
 * of many parallel ones with a condition exactly one passes; the row is the commit point.
 */
export class ObjectStore {
  readonly rows: ObjectRows
  readonly blobs: Blobs
  readonly #db: DatabaseSync
  readonly #clock: { tick(): number }
  readonly #claim
  readonly #release
  readonly #bucketExists

  constructor(db: DatabaseSync, blobs: Blobs) {
    this.#db = db
    this.blobs = blobs
    this.rows = openObjectRows(db)
    this.#clock = openClock(db)
    this.#claim = db.prepare('INSERT OR IGNORE INTO unowned VALUES (?)')
    this.#release = db.prepare('DELETE FROM unowned WHERE blob = ?')
    this.#bucketExists = db.prepare('SELECT 1 FROM buckets WHERE name = ?')
  }

  /**
   * Makes the received upload the current version of its object. `alongside` runs in the same
   * transaction. Throws 412 where the conditions do not hold, 404 where the bucket has gone; the
   * upload file then still exists.
   */
  commit(
    upload: string,
    wanted: NewObject,
    alongside: (object: StoredObject) => void = () => undefined,
  ): StoredObject {
    const before = this.rows.find(wanted.bucket, wanted.name)
    requireMet(before, wanted.conditions)
    if (!this.#bucketExists.get(wanted.bucket)) throw noBucket(wanted.bucket)
    const { generation, blob } = this.#claimBlob(wanted)
    this.blobs.adopt(upload, blob)
    const object: StoredObject = {
      ...{ bucket: wanted.bucket, name: wanted.name, settings: wanted.settings },
      ...{ generation, metageneration: 1, blob, created: generation, updated: generation },
      ...wanted.digest,
      components: wanted.components ?? 0,
    }
    const old = [before, wanted.instead].filter((each) => each !== undefined)
    try {
      this.#own(object, old, alongside)
    } catch (error) {
      this.blobs.giveBack(blob, upload)
      throw error
    }
    for (const each of old) this.#unlink(each.blob)
    return object
  }

  #claimBlob({ bucket, name }: NewObject): { generation: number; blob: string } {
    return transact(this.#db, () => {
      const generation = this.#clock.tick()
      const blob = Blobs.nameOf(bucket, name, generation)
      this.#claim.run(blob)
      return { generation, blob }
    })
  }

  #own(object: StoredObject, old: StoredObject[], alongside: (object: StoredObject) => void): void {
    transact(this.#db, () => {
      for (const each of old) {
        this.rows.remove(each.bucket, each.name)
        this.#claim.run(each.blob)
      }
      this.rows.put(object)
      this.#release.run(object.blob)
      alongside(object)
    })
  }

  /** Replaces the settings of an object: metageneration + 1, the generation stays. */
  update(before: StoredObject, settings: ObjectSettings): StoredObject {
    return transact(this.#db, () => {
      const updated = this.#clock.tick()
      const metageneration = before.metageneration + 1
      const after = { ...before, settings, metageneration, updated }
      this.rows.put(after)
      return after
    })
  }

  /** Removes an object; those who read it now read on. */
  remove(object: StoredObject): void {
    transact(this.#db, () => {
      this.rows.remove(object.bucket, object.name)
      this.#claim.run(object.blob)
    })
    this.#unlink(object.blob)
  }

  /** Deletes the blobs that a crash left without an object; gives their number. */
  async sweepBlobs(): Promise<number> {
    const rows = this.#db.prepare('SELECT blob FROM unowned').all()
    for (const row of rows) {
      await this.blobs.remove(text(row, 'blob'))
      this.#release.run(text(row, 'blob'))
    }
    return rows.length
  }

  /** The row stays in `unowned` until the file is gone; where either fails, the next start does it. */
  #unlink(blob: string): void {
    const done = () => {
      if (this.#db.isOpen) this.#release.run(blob)
    }
    this.blobs
      .remove(blob)
      .then(done)
      .catch(() => undefined)
  }
}

export const noBucket = (bucket: string) =>
  new StorageError('noBucket', `The specified bucket does not exist: ${bucket}`)
