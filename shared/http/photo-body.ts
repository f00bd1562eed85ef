/** The photo of a request: a part of a form, or the body itself (contract 2, `upload`). */
import { Readable } from 'node:stream'
import { ProblemError } from '../domain/problem.ts'
import type { BodyOptions } from './body-stream.ts'
import { FORM_OVERHEAD_BYTES, parseMediaType } from './content.ts'
import type { IncomingPhoto, PhotoBody, PhotoRequest } from './endpoint.ts'
import { readForm } from './multipart.ts'
import type { RequestHead } from './request-head.ts'

/** Opens the request's body and, where the client waits for it, sends `100 Continue`. */
export type OpenBody = (limits: Pick<BodyOptions, 'maxBytes' | 'tooLarge'>) => Readable

async function* refuseEmpty(source: Readable): AsyncGenerator<Buffer> {
  let empty = true
  for await (const chunk of source) {
    empty = false
    yield chunk
  }
  if (empty) throw new ProblemError('file_empty')
}

async function readRaw(body: PhotoBody, open: OpenBody): Promise<IncomingPhoto> {
  const source = open({ maxBytes: body.maxBytes, tooLarge: 'photo_too_large' })
  const stream = Readable.from(refuseEmpty(source), { objectMode: false })
  // The handler may still be busy when it fails; whoever reads later sees the error.
  stream.on('error', () => undefined)
  return { fileName: undefined, stream }
}

/**
 * Given to `serve` by a function that takes photos, so that no other one carries the form parser. `receive` of what the
 * handler gets may be called once.
 */
export function receivePhoto(body: PhotoBody, head: RequestHead, open: OpenBody): PhotoRequest {
  const contentType = head.header('content-type') ?? ''
  const form = parseMediaType(contentType)?.type === 'multipart/form-data'
  return {
    announcedBytes: head.announcedBytes,
    receive: async () => {
      if (!form) return await readRaw(body, open)
      const maxBytes = body.maxBytes + FORM_OVERHEAD_BYTES
      return await readForm(
        open({ maxBytes, tooLarge: 'body_too_large' }),
        contentType,
        body.maxBytes,
      )
    },
  }
}
