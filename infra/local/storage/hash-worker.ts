/**
 * The thread that hashes: MD5 and CRC-32C together run at about 350 MB/s, so on the thread that
 * receives they would halve the rate of uploads. It reads what was just written back from the file,
 * which costs a copy out of the page cache; after a restart it reads the file from its start.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { type Digest, Hashes } from './hashes.ts'

/** With `id` the answer is the digest of the first `to` bytes; without, they are hashed ahead. */
export type HashTask = { path: string; to: number; id?: number }
export type HashAnswer = { id: number; digest?: Digest; error?: string }

/** More open uploads than this are read again from their start when they go on. */
const MAX_REMEMBERED = 256
const block = Buffer.allocUnsafe(1024 * 1024)
const known = new Map<string, Hashes>()

function hashesOf(path: string, to: number): Hashes {
  const found = known.get(path)
  if (found && found.size <= to) return found
  const fresh = new Hashes()
  known.set(path, fresh)
  const oldest = known.keys().next().value
  if (known.size > MAX_REMEMBERED && oldest !== undefined) known.delete(oldest)
  return fresh
}

function advance(path: string, to: number): Hashes {
  const hashes = hashesOf(path, to)
  if (hashes.size === to) return hashes
  const descriptor = openSync(path, 'r')
  try {
    while (hashes.size < to) {
      const wanted = Math.min(block.length, to - hashes.size)
      const read = readSync(descriptor, block, 0, wanted, hashes.size)
      if (read === 0) throw new Error(`${path} ends at ${hashes.size}, before ${to}`)
      hashes.update(block.subarray(0, read))
    }
  } finally {
    closeSync(descriptor)
  }
  return hashes
}

function answer({ path, to, id }: HashTask): HashAnswer | undefined {
  try {
    const hashes = advance(path, to)
    if (id === undefined) return undefined
    known.delete(path)
    return { id, digest: hashes.digest() }
  } catch (error) {
    known.delete(path)
    // An upload that was given up meanwhile has no file any more; nobody waits for its digest.
    return id === undefined ? undefined : { id, error: String(error) }
  }
}

parentPort?.on('message', (task: HashTask) => {
  const reply = answer(task)
  if (reply) parentPort?.postMessage(reply)
})
