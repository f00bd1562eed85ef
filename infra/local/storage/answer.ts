import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Call, decodeSegment, sendJson } from './call.ts'
import type { Cloud } from './cloud.ts'
import { asStorageError, jsonError, type StorageError, xmlError } from './errors.ts'
import { isJsonSide, route } from './router.ts'

/** A refused sender may go on for this long, so that it can read the answer; then it is cut off. */
const DRAIN_MS = 5000

/** Handles one request from its first byte to the last of the answer; never rejects. */
export async function answer(
  cloud: Cloud,
  req: IncomingMessage,
  res: ServerResponse,
  ownAddress: string,
): Promise<void> {
  // A broken connection is seen where the body or the answer is handled.
  req.on('error', () => undefined)
  res.on('error', () => undefined)
  const call = openCall(cloud, req, res, ownAddress)
  try {
    decodeSegment(call.search)
    await route(call)
  } catch (error) {
    const refusal = asStorageError(error, cloud.log)
    if (res.headersSent) res.destroy()
    else if (!res.destroyed) sendError(call, refusal)
  }
  drain(req, res)
}

function openCall(
  cloud: Cloud,
  req: IncomingMessage,
  res: ServerResponse,
  ownAddress: string,
): Call {
  const url = req.url ?? '/'
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const search = mark < 0 ? '' : url.slice(mark + 1)
  const host = req.headers.host ?? ''
  const base = /^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/i.test(host) ? `http://${host}` : ownAddress
  const query = new URLSearchParams(search)
  return { req, res, method: req.method ?? 'GET', path, search, query, base, cloud }
}

function sendError(call: Call, error: StorageError): void {
  const { status } = error.refusal
  if (isJsonSide(call)) {
    sendJson(call, status, jsonError(error), error.headers)
    return
  }
  const body = Buffer.from(xmlError(error))
  call.res.writeHead(status, {
    'Content-Type': 'application/xml; charset=UTF-8',
    'Content-Length': body.length,
    ...error.headers,
  })
  call.res.end(body)
}

/** Reads on where a body was refused half-way: closing at once would lose the answer. */
function drain(req: IncomingMessage, res: ServerResponse): void {
  if (req.complete || req.destroyed) return
  req.on('data', () => undefined)
  req.resume()
  const timer = setTimeout(() => req.destroy(), DRAIN_MS)
  req.once('close', () => clearTimeout(timer))
  res.once('close', () => clearTimeout(timer))
}
