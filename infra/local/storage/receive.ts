import { rm } from 'node:fs/promises'
import type { Call } from './call.ts'
import { checkHashes } from './expected-hashes.ts'
import { FileSink } from './file-sink.ts'
import type { Digest } from './hashes.ts'
import type { StoredObject } from './object-rows.ts'
import type { NewObject } from './object-store.ts'
import { cutOff, pump } from './pump.ts'
import type { ExpectedHashes } from './session-rows.ts'

/** Turns request bytes into object bytes; `end` may still find that something is missing. */
type Reader = { write(chunk: Buffer): void; end(): void }

/** Bytes on the disk that no object owns yet. */
export type Upload = { path: string; digest: Digest }

/**
 * Receives the body into an upload file, synced. Whatever goes wrong (a broken connection, a full
 * disk, a refusal of the reader), nothing stays behind.
 */
export async function receiveUpload(
  call: Call,
  openReader: (take: (chunk: Uint8Array) => void, soFar: () => number) => Reader,
): Promise<Upload> {
  const path = call.cloud.objects.blobs.uploadPath()
  const sink = new FileSink(path, call.cloud.hasher)
  try {
    const reader = openReader(
      (chunk) => sink.write(chunk),
      () => sink.size,
    )
    const outcome = await pump(call.req, sink, (chunk) => reader.write(chunk), call.cloud.pace)
    if (outcome === 'cut') throw cutOff()
    reader.end()
    return { path, digest: await sink.finish() }
  } catch (error) {
    await sink.close().catch(() => undefined)
    await rm(path, { force: true })
    throw error
  }
}

/** Commits a received upload; its file goes where the checksums differ or the commit is refused. */
export async function commitUpload(
  call: Call,
  upload: Upload,
  wanted: Omit<NewObject, 'digest'>,
  expected: ExpectedHashes,
): Promise<StoredObject> {
  try {
    checkHashes(upload.digest, expected)
    return call.cloud.objects.commit(upload.path, { ...wanted, digest: upload.digest })
  } catch (error) {
    await rm(upload.path, { force: true })
    throw error
  }
}
