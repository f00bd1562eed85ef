/**
 * The resumable protocol of Cloud Storage, on the address of a session that has been started. The address is all
 * that it needs, no credentials. It is spoken here and not by the SDK's stream, which passes each chunk through
 * five more streams and `fetch`, waits without an end, and leaves the session behind when its source fails.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  type ClientRequest,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plain,
} from 'node:http'
import { Agent as SecureAgent, request as secure } from 'node:https'
import { type Readable, Transform, type TransformCallback } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ProblemError } from '../domain/problem.ts'
import { crc32c, encodeCrc32c } from './crc32c.ts'

/** An object as the bucket describes it. */
export type BucketObject = {
  /** int64 as Cloud Storage writes it. */
  readonly generation: string
  readonly bytes: number
  /** CRC-32C in base64, big-endian. */
  readonly crc32c: string
}

/** What was sent, and where it is now. */
export type SentObject = Pick<BucketObject, 'generation' | 'bytes'> & {
  /** Of what was sent, lower-case hex. */
  readonly sha256: string
}

export type SessionState =
  | { readonly state: 'finished'; readonly object: BucketObject }
  | { readonly state: 'open' }
  | { readonly state: 'gone' }

const ANSWER_MS = 10_000
/** Longest silence of the bucket while bytes are on their way; a slow sender is judged elsewhere (UP-14). */
const STALL_MS = 60_000
const LONGEST_ANSWER_BYTES = 64 * 1024
/** Less than a chunk, so that a stage holds one and not two; with 32 uploads at once it shows. */
const STAGE_BYTES = 16 * 1024

const AGENTS = {
  'http:': new PlainAgent({ keepAlive: true, timeout: STALL_MS }),
  'https:': new SecureAgent({ keepAlive: true, timeout: STALL_MS }),
}

function unavailable(message: string, cause?: unknown): ProblemError {
  const reason = cause === undefined ? new Error(message) : new Error(message, { cause })
  return new ProblemError('unavailable', { retryAfterSeconds: 2, cause: reason })
}

function open(
  address: string,
  method: 'PUT' | 'DELETE',
  headers: Readonly<Record<string, string>>,
): ClientRequest {
  const url = new URL(address)
  if (url.protocol === 'https:') {
    return secure(url, { method, headers, agent: AGENTS['https:'] })
  }
  return plain(url, { method, headers, agent: AGENTS['http:'] })
}

async function answerTo(request: ClientRequest, signal: AbortSignal): Promise<IncomingMessage> {
  try {
    const [response]: unknown[] = await once(request, 'response', { signal })
    if (!isMessage(response)) throw new TypeError('a request is answered with a message')
    return response
  } catch (error) {
    // A wait that was given up must not leave its connection behind.
    request.on('error', () => undefined).destroy()
    throw error
  }
}

function isMessage(value: unknown): value is IncomingMessage {
  return typeof value === 'object' && value !== null && 'statusCode' in value
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk
    if (text.length > LONGEST_ANSWER_BYTES) throw unavailable('the bucket answers without end')
  }
  return text
}

function objectOf(text: string): BucketObject {
  const parsed: unknown = JSON.parse(text)
  const found = typeof parsed === 'object' && parsed !== null ? parsed : {}
  const fields: Partial<Record<string, unknown>> = { ...found }
  const { generation, size, crc32c: sum } = fields
  if (typeof generation !== 'string' || typeof size !== 'string' || typeof sum !== 'string') {
    throw unavailable('the bucket describes no object')
  }
  return { generation, bytes: Number(size), crc32c: sum }
}

/** Asks the session whether its object is complete; `unavailable` where the bucket does not say. */
export async function askSession(address: string): Promise<SessionState> {
  const signal = AbortSignal.timeout(ANSWER_MS)
  try {
    const request = open(address, 'PUT', { 'Content-Length': '0', 'Content-Range': 'bytes */*' })
    request.end()
    const response = await answerTo(request, signal)
    const text = await textOf(response)
    const status = response.statusCode ?? 0
    if (status === 200 || status === 201) return { state: 'finished', object: objectOf(text) }
    if (status === 308) return { state: 'open' }
    if (status === 404 || status === 410 || status === 499) return { state: 'gone' }
    throw unavailable(`the bucket answers ${status} about a session`)
  } catch (error) {
    throw error instanceof ProblemError ? error : unavailable('no word about a session', error)
  }
}

/** Ends the session and drops its bytes. True where it is certain that it makes no object any more. */
export async function cancelSession(address: string): Promise<boolean> {
  try {
    const request = open(address, 'DELETE', { 'Content-Length': '0' })
    request.end()
    const response = await answerTo(request, AbortSignal.timeout(ANSWER_MS))
    response.resume()
    return [204, 404, 410, 499].includes(response.statusCode ?? 0)
  } catch {
    return false
  }
}

/** Counts and hashes what is sent, and stops where it is more than the upload holds of the quota. */
class Sums extends Transform {
  readonly #sha256 = createHash('sha256')
  #crc32c = 0
  readonly #heldBytes: number
  bytes = 0

  constructor(heldBytes: number) {
    super({ highWaterMark: STAGE_BYTES })
    this.#heldBytes = heldBytes
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length
    if (this.bytes > this.#heldBytes) {
      done(new ProblemError('quota_exceeded'))
      return
    }
    this.#sha256.update(chunk)
    this.#crc32c = crc32c(chunk, this.#crc32c)
    done(null, chunk)
  }

  finish(): { readonly sha256: string; readonly crc32c: string } {
    return { sha256: this.#sha256.digest('hex'), crc32c: encodeCrc32c(this.#crc32c) }
  }
}

/**
 * Sends all of `source` in one request, as it comes, and compares the bucket's checksum with that of what was
 * sent (UP-11). Fails with what the source fails with, `quota_exceeded` past `heldBytes`, or `unavailable`; then the
 * session was cancelled, and only a source that had ended may have left an object.
 */
export async function sendThrough(
  address: string,
  source: Readable,
  heldBytes: number,
): Promise<SentObject> {
  const sums = new Sums(heldBytes)
  // Whoever fails takes the other along with the same error, so the first word counts.
  let culprit: 'source' | 'bucket' | undefined
  source.once('error', () => {
    culprit ??= 'source'
  })
  try {
    const object = await send(address, source, sums, () => {
      culprit ??= 'bucket'
    })
    const { sha256, crc32c: sum } = sums.finish()
    if (object.crc32c !== sum || object.bytes !== sums.bytes) {
      throw unavailable('the bucket has other bytes than were sent')
    }
    return { generation: object.generation, bytes: object.bytes, sha256 }
  } catch (error) {
    await cancelSession(address)
    const known = error instanceof ProblemError || culprit === 'source'
    throw known ? error : unavailable('an object was not written', error)
  }
}

async function send(
  address: string,
  source: Readable,
  sums: Sums,
  onBroken: () => void,
): Promise<BucketObject> {
  const request = open(address, 'PUT', { 'Content-Range': 'bytes 0-*/*' })
  request.once('error', onBroken)
  request.setTimeout(STALL_MS, () => request.destroy(unavailable('the bucket takes no bytes')))
  const waiting = new AbortController()
  let isOpen = true
  const answer = answerTo(request, waiting.signal)
    .then(readObject)
    .finally(() => {
      isOpen = false
    })
  answer.catch(() => undefined)
  try {
    // An answer before the end is a refusal: it stops the source.
    const refused = answer.then(() => new Promise<never>(() => undefined))
    await Promise.race([pipeline(source, sums, request), refused])
  } catch (error) {
    waiting.abort()
    source.destroy()
    throw error
  }
  try {
    return await lastAnswer(address, answer)
  } finally {
    if (isOpen) waiting.abort()
  }
}

async function readObject(response: IncomingMessage): Promise<BucketObject> {
  const text = await textOf(response)
  const status = response.statusCode ?? 0
  if (status === 200 || status === 201) return objectOf(text)
  throw unavailable(`the bucket answers ${status} to an object`)
}

/** The answer to the last byte; one that was lost is asked for again (F09). */
async function lastAnswer(address: string, answer: Promise<BucketObject>): Promise<BucketObject> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(unavailable('the bucket does not answer')), ANSWER_MS)
  try {
    return await Promise.race([answer, late])
  } catch (error) {
    const known = await askSession(address)
    if (known.state === 'finished') return known.object
    throw error
  } finally {
    clearTimeout(timer)
  }
}
