/** The bytes of a request body, bounded in number and in time (UP-03, UP-14). */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { ProblemError } from '../domain/problem.ts'
import { countBodyBytes } from './body-memory.ts'

/** How slowly a body may come; time in which the reader itself was busy does not count. */
export type Pace = {
  /** Longest silence, milliseconds. */
  readonly silenceMs: number
  /** The average counts after so many milliseconds. */
  readonly graceMs: number
  readonly minBytesPerSecond: number
  readonly checkMs: number
}
/** UP-14. */
const PACE: Pace = { silenceMs: 30_000, graceMs: 30_000, minBytesPerSecond: 10_000, checkMs: 1000 }

export type BodyOptions = {
  readonly maxBytes: number
  readonly tooLarge: 'body_too_large' | 'photo_too_large'
  readonly signal: AbortSignal
  readonly pace?: Pace
  /** What a body without a byte fails with; absent, it just ends. */
  readonly ifEmpty?: 'file_empty'
}

/** Measures only the time in which the client was waited for. */
class Stopwatch {
  #bytes = 0
  #waitedMs = 0
  #since: number | undefined
  #lastByte = 0
  readonly #pace: Pace

  constructor(pace: Pace) {
    this.#pace = pace
  }

  wait(): void {
    this.#since ??= performance.now()
    this.#lastByte = Math.max(this.#lastByte, this.#since)
  }

  pause(): void {
    if (this.#since !== undefined) this.#waitedMs += performance.now() - this.#since
    this.#since = undefined
  }

  count(bytes: number): void {
    this.#bytes += bytes
    this.#lastByte = performance.now()
  }

  get bytes(): number {
    return this.#bytes
  }

  tooSlow(): boolean {
    if (this.#since === undefined) return false
    const now = performance.now()
    const waitedMs = this.#waitedMs + now - this.#since
    const silent = now - this.#lastByte > this.#pace.silenceMs
    const least = (waitedMs / 1000) * this.#pace.minBytesPerSecond
    return silent || (waitedMs > this.#pace.graceMs && this.#bytes < least)
  }
}

const cutShort = () =>
  new ProblemError('invalid_request', { detail: 'The body ended before its announced length' })

/**
 * The body as a stream that can be destroyed without its connection, so that an answer can still be sent.
 * Fails with `maxBytes` passed, with `request_timeout`, with `invalid_request` where it was cut, and with the signal's reason.
 */
export function openBody(request: IncomingMessage, options: BodyOptions): Readable {
  const { maxBytes, tooLarge, signal } = options
  const pace = options.pace ?? PACE
  const watch = new Stopwatch(pace)
  let timer: NodeJS.Timeout | undefined

  const body = new Readable({
    read() {
      if (timer === undefined) begin()
      watch.wait()
      request.resume()
    },
    destroy(error, done) {
      end()
      request.pause()
      done(error)
    },
  })
  const onData = (chunk: Buffer) => {
    watch.count(chunk.length)
    countBodyBytes(chunk.length)
    if (watch.bytes > maxBytes) {
      body.destroy(new ProblemError(tooLarge))
    } else if (!body.push(chunk)) {
      watch.pause()
      request.pause()
    }
  }
  const onEnd = () => {
    if (!request.complete) return onCut()
    // All has come; what is left of the time is the reader's.
    clearInterval(timer)
    if (watch.bytes === 0 && options.ifEmpty) body.destroy(new ProblemError(options.ifEmpty))
    else body.push(null)
  }
  const onCut = () => {
    if (!request.complete) body.destroy(signal.aborted ? reasonOf(signal) : cutShort())
  }
  const onAbort = () => {
    body.destroy(reasonOf(signal))
  }
  const listeners = [
    ['data', onData],
    ['end', onEnd],
    ['error', onCut],
    ['close', onCut],
  ] as const
  function begin() {
    timer = setInterval(() => {
      if (watch.tooSlow()) body.destroy(new ProblemError('request_timeout'))
    }, pace.checkMs)
    for (const [event, listener] of listeners) request.on(event, listener)
  }
  function end() {
    clearInterval(timer)
    signal.removeEventListener('abort', onAbort)
    for (const [event, listener] of listeners) request.off(event, listener)
  }
  // Whoever reads sees the error; with nobody reading yet it must not end the process.
  body.on('error', () => undefined)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  return body
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : cutShort()
}
