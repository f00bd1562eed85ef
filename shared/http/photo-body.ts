/** The photo of a request: a part of a form, or the body itself (contract 2, `upload`). */
import type { Readable } from 'node:stream'
import type { BodyOptions } from './body-stream.ts'
import { FORM_OVERHEAD_BYTES, parseMediaType } from './content.ts'
import type { PhotoBody, PhotoRequest } from './endpoint.ts'
import { readForm } from './multipart.ts'
import type { RequestHead } from './request-head.ts'

/** Opens the request's body and, where the client waits for it, sends `100 Continue`. */
export type OpenBody = (limits: Pick<BodyOptions, 'maxBytes' | 'tooLarge' | 'ifEmpty'>) => Readable

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
      if (!form) {
        const limits = { maxBytes: body.maxBytes, tooLarge: 'photo_too_large' } as const
        return { fileName: undefined, stream: open({ ...limits, ifEmpty: 'file_empty' }) }
      }
      const maxBytes = body.maxBytes + FORM_OVERHEAD_BYTES
      return await readForm(
        open({ maxBytes, tooLarge: 'body_too_large' }),
        contentType,
        body.maxBytes,
      )
    },
  }
}
