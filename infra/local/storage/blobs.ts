import { createHash, randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { copyFile, open, unlink } from 'node:fs/promises'
import path from 'node:path'
import { isMissing } from './errors.ts'

/**
 * The bytes of objects, in files whose names are hashes: no bucket or object name is ever a path.
 *
 *   tmp/<random or upload id>   an upload under way
 *   blobs/ab/cdef…              a finished one: hex SHA-256 of bucket, name and generation
 */
export class Blobs {
  readonly #uploads: string
  readonly #blobs: string
  readonly #made = new Set<string>()

  constructor(directory: string) {
    this.#uploads = path.join(directory, 'tmp')
    this.#blobs = path.join(directory, 'blobs')
    mkdirSync(this.#uploads, { recursive: true })
    mkdirSync(this.#blobs, { recursive: true })
  }

  /** A blob's name: 64 hex digits. */
  static nameOf(bucket: string, name: string, generation: number): string {
    return createHash('sha256').update(`${bucket}\n${name}\n${generation}`).digest('hex')
  }

  /** Where an upload is received; without an id a fresh path that the next start would delete. */
  uploadPath(id: string = randomUUID()): string {
    return path.join(this.#uploads, id)
  }

  /** Where the bytes of a blob are. */
  pathOf(blob: string): string {
    return path.join(this.#blobs, blob.slice(0, 2), blob.slice(2))
  }

  /** Turns a received upload into a blob: one rename, so it is there whole or not at all. */
  adopt(upload: string, blob: string): void {
    const folder = blob.slice(0, 2)
    if (!this.#made.has(folder)) {
      mkdirSync(path.join(this.#blobs, folder), { recursive: true })
      this.#made.add(folder)
    }
    renameSync(upload, this.pathOf(blob))
  }

  /** Takes `adopt` back, where the row could not be written. */
  giveBack(blob: string, upload: string): void {
    renameSync(this.pathOf(blob), upload)
  }

  /**
   * A descriptor on a blob, for the caller to close. Taken in the same turn as the row was read,
   * it stays readable to the end although the object is overwritten or deleted meanwhile.
   */
  open(blob: string): number {
    return openSync(this.pathOf(blob), 'r')
  }

  /** A second file with the same bytes: a hard link (blobs never change), else a synced copy. */
  async duplicate(blob: string): Promise<string> {
    const copy = this.uploadPath()
    try {
      linkSync(this.pathOf(blob), copy)
    } catch {
      await copyFile(this.pathOf(blob), copy)
      const handle = await open(copy, 'r+')
      await handle.sync().finally(() => handle.close())
    }
    return copy
  }

  /** Deletes a blob, or nothing. */
  async remove(blob: string): Promise<void> {
    try {
      await unlink(this.pathOf(blob))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  /** Deletes uploads that no live session owns, as a crash leaves them; gives their number. */
  sweepUploads(isLive: (id: string) => boolean): number {
    const leftOver = readdirSync(this.#uploads).filter((id) => !isLive(id))
    for (const id of leftOver) rmSync(this.uploadPath(id), { force: true })
    return leftOver.length
  }
}
