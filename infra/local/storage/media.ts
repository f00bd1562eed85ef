import { closeSync, createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { type Call, header, sendEmpty } from './call.ts'
import { StorageError } from './errors.ts'
import type { StoredObject } from './object-rows.ts'
import { DEFAULT_CONTENT_TYPE } from './settings.ts'

/** First byte and the one behind the last. */
type Span = { start: number; end: number }

/**
 * The part of an object that a `Range` header asks for; undefined means all of it (no header,
 * another unit, or several ranges: RFC 9110 §14.2 lets a server ignore those). 416 where the range
 * is malformed or lies behind the end.
 */
function parseRange(source: string | undefined, size: number): Span | undefined {
  if (source === undefined || !/^\s*bytes\s*=/i.test(source) || source.includes(','))
    return undefined
  const found = /^\s*bytes\s*=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i.exec(source)
  if (!found || (found[1] === '' && found[2] === '')) throw unsatisfiable(size)
  const [, first, last] = found
  if (first === '' || first === undefined) return suffix(Number(last), size)
  const start = Number(first)
  const end = last === '' ? size : Math.min(Number(last) + 1, size)
  if (start >= size || end <= start) throw unsatisfiable(size)
  return { start, end }
}

function suffix(length: number, size: number): Span {
  if (length === 0 || size === 0) throw unsatisfiable(size)
  return { start: Math.max(0, size - length), end: size }
}

const unsatisfiable = (size: number) =>
  new StorageError('range', 'The requested range cannot be satisfied.', {
    headers: { 'Content-Range': `bytes */${size}` },
  })

/** Header values are bytes on the wire: text beyond Latin-1 goes out as UTF-8. */
const wire = (value: string) => Buffer.from(value, 'utf8').toString('latin1')

/** The headers of an object's content but for length and range. */
export function contentHeaders(object: StoredObject, etag: string): Record<string, string> {
  const { settings, md5 } = object
  const optional = {
    'Cache-Control': settings.cacheControl,
    'Content-Disposition': settings.contentDisposition,
    'Content-Encoding': settings.contentEncoding,
    'Content-Language': settings.contentLanguage,
  }
  const headers: Record<string, string> = {
    'Content-Type': wire(settings.contentType ?? DEFAULT_CONTENT_TYPE),
    ETag: etag,
    'Last-Modified': new Date(Math.floor(object.updated / 1000)).toUTCString(),
    'Accept-Ranges': 'bytes',
    'x-goog-generation': String(object.generation),
    'x-goog-metageneration': String(object.metageneration),
    'x-goog-hash': `crc32c=${object.crc32c}${md5 && `,md5=${md5}`}`,
    'x-goog-stored-content-length': String(object.size),
    'x-goog-stored-content-encoding': wire(settings.contentEncoding ?? 'identity'),
    'x-goog-storage-class': 'STANDARD',
  }
  for (const [name, value] of Object.entries(optional)) {
    if (value !== undefined) headers[name] = wire(value)
  }
  return headers
}

/** Sends the content, or the range asked for; a HEAD only its headers. */
export async function sendContent(
  call: Call,
  object: StoredObject,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  if (matches(header(call, 'if-none-match'), headers['ETag'])) return sendEmpty(call, 304, headers)
  const span = parseRange(header(call, 'range'), object.size)
  const { start, end } = span ?? { start: 0, end: object.size }
  // Opened before anything is awaited, so that an overwrite cannot come between row and bytes.
  const descriptor = call.cloud.objects.blobs.open(object.blob)
  const range = span ? { 'Content-Range': `bytes ${start}-${end - 1}/${object.size}` } : {}
  call.res.writeHead(span ? 206 : 200, { ...headers, 'Content-Length': end - start, ...range })
  if (call.method === 'HEAD' || start === end) {
    closeSync(descriptor)
    call.res.end()
    return
  }
  const bytes = createReadStream('', {
    fd: descriptor,
    start,
    end: end - 1,
    highWaterMark: 1 << 18,
  })
  // A reader that goes away is no error of ours.
  await pipeline(bytes, call.res).catch(() => call.res.destroy())
}

const matches = (wanted: string | undefined, etag: string | undefined) =>
  wanted !== undefined && etag !== undefined && (wanted === '*' || wanted.includes(etag))
