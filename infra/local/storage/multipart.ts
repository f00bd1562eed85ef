import { StorageError } from './errors.ts'
import { type JsonObject, parseJsonObject } from './json.ts'

/**
 * The body of an `uploadType=multipart` insert (RFC 2387, two parts):
 *
 *   --B CRLF headers CRLF CRLF {json} CRLF --B CRLF headers CRLF CRLF bytes CRLF --B--
 *
 * The bytes are passed on as they arrive, but for the last ones, which could be the closing
 * delimiter. Only the end of the body closes it: bytes that look like a delimiter are content.
 */
export type MultipartEvents = {
  /** Both headers are read; `contentType` is the second part's. */
  onStart(resource: JsonObject, contentType: string | undefined): void
  onBytes(chunk: Buffer): void
}

/** Limit of everything before the content. */
const MAX_HEAD_BYTES = 1024 * 1024
const BLANK_LINE = '\r\n\r\n'

const malformed = (what: string) =>
  new StorageError('invalid', `Malformed multipart body: ${what}.`)

/** The boundary out of a `Content-Type: multipart/related` header; else 400. */
export function readBoundary(contentType: string | undefined): string {
  if (!/^multipart\/related\s*;/i.test(contentType ?? '')) {
    throw new StorageError('invalid', 'A multipart upload needs Content-Type: multipart/related.')
  }
  const found = /;\s*boundary=(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType ?? '')
  const boundary = found?.[1] ?? found?.[2]
  if (boundary === undefined) throw malformed('no boundary in Content-Type')
  return boundary
}

function readHeaders(head: string): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of head.split('\r\n').filter((each) => each !== '')) {
    const colon = line.indexOf(':')
    if (colon < 1) throw malformed('a part header without a colon')
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  return headers
}

export class MultipartReader {
  readonly #delimiter: string
  readonly #events: MultipartEvents
  #held: Buffer = Buffer.alloc(0)
  #inContent = false

  constructor(boundary: string, events: MultipartEvents) {
    this.#delimiter = `--${boundary}`
    this.#events = events
  }

  /** The next bytes of the body; throws 400 as soon as they cannot be right. */
  write(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    if (!this.#inContent) this.#readHead()
    if (this.#inContent) this.#passOn()
  }

  /** The body has ended: it must end with the closing delimiter. */
  end(): void {
    if (!this.#inContent) throw malformed('it ends before the content')
    const closing = `\r\n${this.#delimiter}--`
    const at = this.#held.lastIndexOf(closing)
    const after = this.#held.subarray(at + closing.length).toString('latin1')
    if (at < 0 || !/^\s*$/.test(after)) throw malformed('no closing delimiter')
    this.#events.onBytes(this.#held.subarray(0, at))
  }

  /** Passes on all but the longest possible end: the closing delimiter and two line breaks. */
  #passOn(): void {
    const keep = this.#delimiter.length + 2 + 2 + 4
    const ready = this.#held.length - keep
    if (ready <= 0) return
    this.#events.onBytes(this.#held.subarray(0, ready))
    this.#held = this.#held.subarray(ready)
  }

  #readHead(): void {
    const first = this.#held.indexOf(BLANK_LINE)
    const second = first < 0 ? -1 : this.#held.indexOf(`\r\n${this.#delimiter}\r\n`, first + 2)
    const contentAt = second < 0 ? -1 : this.#held.indexOf(BLANK_LINE, second + 2)
    if (contentAt < 0) {
      if (this.#held.length > MAX_HEAD_BYTES) throw malformed('no second part within 1 MiB')
      return
    }
    const opening = this.#held.subarray(0, first).toString('utf8').replace(/^\r\n/, '')
    if (!opening.startsWith(`${this.#delimiter}\r\n`)) throw malformed('it starts with no boundary')
    this.#start(
      readHeaders(opening.slice(this.#delimiter.length)),
      this.#held.subarray(first + BLANK_LINE.length, second).toString('utf8'),
      readHeaders(
        this.#held.subarray(second + this.#delimiter.length + 4, contentAt).toString('utf8'),
      ),
    )
    this.#held = this.#held.subarray(contentAt + BLANK_LINE.length)
    this.#inContent = true
  }

  #start(first: Map<string, string>, json: string, second: Map<string, string>): void {
    if (!/^application\/json\b/i.test(first.get('content-type') ?? '')) {
      throw malformed('the first part is not application/json')
    }
    if (!/^(binary|8bit|7bit)?$/i.test(second.get('content-transfer-encoding') ?? '')) {
      throw new StorageError('unimplemented', 'Content-Transfer-Encoding is not here.')
    }
    this.#events.onStart(parseJsonObject(json, 'The first part'), second.get('content-type'))
  }
}
