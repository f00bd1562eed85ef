import type { IncomingMessage } from 'node:http'
import { StorageError } from './errors.ts'
import type { FileSink } from './file-sink.ts'
import { countChunk } from './young-chunks.ts'

/** A sender that brings fewer than `bytes` in `windowMs` is cut off with 408. */
export type Pace = { windowMs: number; bytes: number }

export const PACE: Pace = { windowMs: 60_000, bytes: 1024 }

/** `ended`: the body is complete. `cut`: the connection went away before its end. */
export type Outcome = 'ended' | 'cut'

/** What a body goes into; `full` asks the sender to wait until there is room. */
type Room = Pick<FileSink, 'full' | 'watch'>

/**
 * Hands the body to `take` as it arrives, waiting where the sink is full. Rejects with what `take`
 * throws, with a write error of the sink, and with 408 for a sender slower than the pace.
 */
export function pump(
  req: IncomingMessage,
  room: Room,
  take: (chunk: Buffer) => void,
  pace: Pace,
): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
  let recent = 0
  let refused = false
  const onData = (chunk: Buffer) => {
    recent += chunk.length
    countChunk(chunk.length)
    if (refused) return
    try {
      take(chunk)
    } catch (error) {
      refused = true
      reject(error)
    }
    if (room.full) req.pause()
  }
  const onEnd = () => resolve('ended')
  const onCut = () => resolve('cut')
  const timer = setInterval(() => {
    if (recent < pace.bytes && !room.full) reject(slowSender())
    recent = 0
  }, pace.windowMs)
  room.watch(() => req.resume(), reject)
  req.on('data', onData).on('end', onEnd).on('error', onCut).on('close', onCut)
  if (req.destroyed) onCut()
  return promise.finally(() => {
    clearInterval(timer)
    req.off('data', onData).off('end', onEnd).off('close', onCut)
    room.watch(noop, noop)
  })
}

const noop = () => undefined

const slowSender = () =>
  new StorageError('timeout', 'The request body came too slowly.', {
    headers: { Connection: 'close' },
  })

/** A small body as a whole: 413 above `maxBytes`, 400 where the connection breaks. */
export async function collect(req: IncomingMessage, maxBytes: number, pace: Pace): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  const take = (chunk: Buffer) => {
    size += chunk.length
    if (size > maxBytes) {
      throw new StorageError('bodyTooLarge', `The request body is over ${maxBytes} bytes.`)
    }
    chunks.push(chunk)
  }
  const room = { full: false, watch: noop }
  if ((await pump(req, room, take, pace)) === 'cut') throw cutOff()
  return Buffer.concat(chunks)
}

/** For a caller that is gone: nobody reads it. */
export const cutOff = () => new StorageError('invalid', 'The request body broke off.')
