/** A photo as it is described and answered (contract 2). */
import { type Photo, photoJson } from '../domain/photo.ts'
import { PHOTO_CONTENT_TYPES } from '../domain/photo-type.ts'
import type { Reply, ReplySpec } from './endpoint.ts'
import { integer, object, oneOf, optional, string } from './schema.ts'

const count = (description: string) =>
  integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description })
const time = (description: string) =>
  optional(string({ maxLength: 32, format: 'date-time', description }))

const members = {
  id: string({ maxLength: 64, example: 'n8Q5pYkZ0v2WJm3sT7uXhA' }),
  content_type: oneOf(PHOTO_CONTENT_TYPES, 'What the bytes are, whatever was declared'),
  bytes: count('Of the stored photo'),
  width: count('Pixels, before the orientation is applied'),
  height: count('Pixels, before the orientation is applied'),
  sha256: string({ maxLength: 64, description: 'Of the stored photo, lower-case hex' }),
  created_at: string({ maxLength: 32, format: 'date-time' }),
  taken_at: time('When the camera took it'),
  original_name: string({ maxLength: 255, description: 'To show, never a path' }),
} as const

export const photoSchema = object(members)

/** A photo in the export: what it is, and the path of its content. */
export const exportedPhotoSchema = object({
  ...members,
  content_path: string({ maxLength: 128, example: '/photos/n8Q5pYkZ0v2WJm3sT7uXhA/content' }),
})

const EXAMPLE = {
  id: 'n8Q5pYkZ0v2WJm3sT7uXhA',
  content_type: 'image/jpeg',
  bytes: 2_483_112,
  width: 4032,
  height: 3024,
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  created_at: '2026-05-06T07:08:09.123Z',
  taken_at: '2026-05-05T18:00:00.000Z',
  original_name: 'beach.jpg',
}

const uploaded = object({
  message: string({ maxLength: 512, example: 'File beach.jpg successfully uploaded' }),
  photo: photoSchema,
})

const body = {
  schema: uploaded,
  example: { message: 'File beach.jpg successfully uploaded', photo: EXAMPLE },
}

/** The replies of an upload in one request. */
export const uploadReplies = {
  200: {
    description: 'This was uploaded before: the first answer again',
    headers: ['Location', 'Idempotency-Replayed'],
    ...body,
  },
  201: {
    description: 'The photo',
    headers: ['Location', 'RateLimit', 'RateLimit-Policy'],
    ...body,
  },
} as const satisfies Record<number, ReplySpec>

/** The replies of a large photo's completion: it was counted when it was announced. */
export const completionReplies = {
  ...uploadReplies,
  201: { description: 'The photo', headers: ['Location'], ...body },
} as const satisfies Record<number, ReplySpec>

export const photoExample = EXAMPLE

/** The answer to an upload; without `Location` where nobody knows where the API is (contract 1). */
export function uploadReply(
  status: 200 | 201,
  photo: Photo,
  publicUrl: string | undefined,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  const location = publicUrl === undefined ? {} : { Location: `${publicUrl}/photos/${photo.id}` }
  const replayed = status === 200 ? { 'Idempotency-Replayed': 'true' } : {}
  const message = `File ${photo.originalName} successfully uploaded`
  return {
    status,
    headers: { ...location, ...replayed, ...headers },
    body: { message, photo: photoJson(photo) },
  }
}
