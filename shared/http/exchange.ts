/** One request with its one answer: id, clock, abort signal, and the rules of how an answer leaves (HTTP-09, UP-01). */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ProblemError } from '../domain/problem.ts'
import { type RequestHead, readHead } from './request-head.ts'

/** What the signal's reason is where the client went away. */
export class ClientGone extends Error {
  constructor() {
    super('the client is gone')
    this.name = 'ClientGone'
  }
}

/** Answered where the client has gone; in logs only (contract 3). */
export const CLIENT_GONE_STATUS = 499
/** How long a client may take to receive an answer that is not streamed, milliseconds. */
const SENDING_MS = 15_000
/** How much of a refused request is still read, and for how long, so that its answer is not lost (UP-01). */
const LINGER_BYTES = 1024 * 1024
const LINGER_MS = 2000

export type AnswerHead = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

export type ExchangeOptions = {
  /** The client waits for `100 Continue` before it sends its body. */
  readonly expectsContinue: boolean
  /** True once the process is about to end: answers then close their connections. */
  ending(): boolean
}

export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly head: RequestHead
  /** `X-Request-Id`: the client's where it has the form of one (HTTP-09). */
  readonly id: string
  readonly now = new Date()
  readonly startedAt = performance.now()
  /** Texts of the caller that no log may show. */
  readonly secrets = new Set<string>()
  /** Rejects with the signal's reason; never resolves. */
  readonly aborted: Promise<never>
  /** Id of the caller, once its token was found good; for the log. */
  userId: string | undefined
  /** True while the handler waits for bytes of the body. */
  readingBody = false
  /** True where what follows on the connection cannot be read. */
  lastOfConnection = false
  /** True once the whole answer was handed to the connection. */
  delivered = false
  readonly #controller = new AbortController()
  readonly #options: ExchangeOptions
  #answering = false
  #deadline: NodeJS.Timeout | undefined

  constructor(request: IncomingMessage, response: ServerResponse, options: ExchangeOptions) {
    this.request = request
    this.response = response
    this.head = readHead(request)
    const offered = this.head.header('x-request-id') ?? ''
    this.id = /^[A-Za-z0-9-]{8,64}$/.test(offered) ? offered : randomUUID()
    this.#options = options
    this.aborted = new Promise((_resolve, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason), { once: true })
    })
    this.aborted.catch(() => undefined)
    response.on('close', () => {
      clearTimeout(this.#deadline)
      if (!this.delivered) this.abort(new ClientGone())
    })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Whether an answer has begun or cannot be sent any more. */
  get answered(): boolean {
    return this.#answering || this.response.headersSent || this.response.destroyed
  }

  /** Ends the request with a reason that a waiting handler and body see; the first one counts. */
  abort(reason: Error): void {
    this.#controller.abort(reason)
    if (this.response.headersSent && !this.delivered) this.response.destroy()
  }

  /** From now on the request may take so long: then 408 where its body is late, 503 where we are. */
  limit(milliseconds: number): void {
    this.#deadline = setTimeout(() => {
      const late = this.readingBody && !this.request.complete
      const code = late ? 'request_timeout' : 'unavailable'
      const cause = new Error(`the request was not done after ${milliseconds} ms`)
      this.abort(new ProblemError(code, { cause }))
    }, milliseconds)
  }

  /** Tells a client that waits before it sends its body to go on. */
  wantBody(): void {
    this.readingBody = true
    if (this.#options.expectsContinue && !this.response.headersSent) this.response.writeContinue()
  }

  /** Sends status, headers and the whole content; nothing where an answer has begun. */
  async send(head: AnswerHead, content: string | Buffer | undefined): Promise<void> {
    if (this.answered) return
    this.#answering = true
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => this.response.destroy(), SENDING_MS)
    // A short body that came with its head is handed on by the parser a turn later.
    if (!this.request.complete) await nextTurn()
    const lingers = this.#begin(head)
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    const hasBody = head.status !== 204 && head.status !== 304
    if (hasBody) this.response.setHeader('Content-Length', bytes?.length ?? 0)
    const shown = hasBody && this.request.method !== 'HEAD' ? bytes : undefined
    if (lingers) return await this.#sendAndLinger(shown)
    await this.#end(shown)
  }

  /**
   * Sends what is made while it is sent, as fast as the client takes it. What fails before its first chunk can still be
   * answered with a problem.
   */
  async stream(head: AnswerHead, chunks: AsyncIterable<string>): Promise<void> {
    if (this.answered) return
    if (this.request.method !== 'HEAD') await this.#sendChunks(head, chunks)
    else this.#begin(head)
    await this.#end(undefined)
  }

  async #sendChunks(head: AnswerHead, chunks: AsyncIterable<string>): Promise<void> {
    for await (const chunk of chunks) {
      if (!this.response.headersSent) this.#begin(head)
      if (this.response.destroyed) return
      if (!this.response.write(chunk)) await this.#drained()
    }
    if (!this.response.headersSent) this.#begin(head)
  }

  /** True where the rest of the request is still on its way: then the connection cannot go on after this answer. */
  #begin(head: AnswerHead): boolean {
    const { request, response } = this
    response.statusCode = head.status
    for (const [name, value] of Object.entries(head.headers)) {
      if (name.toLowerCase() === 'vary') response.appendHeader(name, value)
      else response.setHeader(name, value)
    }
    const lingers = !request.complete
    const last = lingers || this.lastOfConnection || this.#options.ending()
    if (last) response.setHeader('Connection', 'close')
    return lingers
  }

  /**
   * A connection closed over unread bytes is reset, and the reset can overtake the answer. So the answer
   * goes first, some of the rest is read, and only then the response ends and with it the connection.
   */
  async #sendAndLinger(content: Buffer | undefined): Promise<void> {
    if (content === undefined || content.length === 0) this.response.flushHeaders()
    else this.response.write(content)
    this.#deliver()
    if (!this.request.socket.readableEnded) await this.#linger()
    this.response.end()
  }

  async #linger(): Promise<void> {
    await new Promise<void>((resolve) => {
      let left = LINGER_BYTES
      const done = () => {
        clearTimeout(timer)
        this.request.off('data', onData).off('end', done).off('close', done)
        resolve()
      }
      const onData = (chunk: Buffer) => {
        left -= chunk.length
        if (left <= 0) this.request.pause()
      }
      const timer = setTimeout(done, LINGER_MS)
      this.request.on('data', onData).on('end', done).on('close', done)
      this.request.resume()
    })
  }

  #deliver(): void {
    this.delivered = true
    clearTimeout(this.#deadline)
  }

  async #drained(): Promise<void> {
    const { response } = this
    await new Promise<void>((resolve) => {
      const done = () => {
        response.off('drain', done).off('close', done)
        resolve()
      }
      response.on('drain', done).on('close', done)
    })
  }

  async #end(content: Buffer | undefined): Promise<void> {
    const { response } = this
    await new Promise<void>((resolve) => {
      response.once('close', resolve).end(content, () => {
        this.#deliver()
        resolve()
      })
    })
  }
}
