import { identifyCaller } from '../shared/caller.ts'
import { atStart, settings } from '../shared/config.ts'
import { parsePageToken, printPageToken } from '../shared/domain/page.ts'
import { photoJson } from '../shared/domain/photo.ts'
import { ProblemError } from '../shared/domain/problem.ts'
import { inlineDisposition } from '../shared/http/content-disposition.ts'
import { defineEndpoint } from '../shared/http/endpoint.ts'
import { photoExample, photoSchema } from '../shared/http/photo-reply.ts'
import { array, integer, object, optional, string } from '../shared/http/schema.ts'
import { serve } from '../shared/http/serve.ts'
import { openDatabase } from '../shared/store/firestore.ts'
import { forgetOrphan } from '../shared/store/orphans.ts'
import { openPhotoFiles } from '../shared/store/photo-files.ts'
import { findPhoto, hidePhoto, listPhotos } from '../shared/store/photos.ts'

const config = settings(
  'GOOGLE_CLOUD_PROJECT',
  'FIRESTORE_DATABASE',
  'PHOTO_BUCKET',
  'K_SERVICE',
  'JWKS_FILE',
  'TOKEN_ISSUER',
  'TOKEN_AUDIENCE',
  'TOKENS_NOT_BEFORE',
)
const database = openDatabase(config)
const files = openPhotoFiles(config)
const identify = atStart(() => identifyCaller(database, config))

/** How long a content address lives (DL-01). */
const CONTENT_SECONDS = 300
const PAGE_SIZE = 50

const photoId = object({
  id: string({ maxLength: 64, pattern: /^(?!__.*__$)[A-Za-z0-9_-]{1,64}$/ }),
})
const page = object({
  page_size: optional(integer({ minimum: 1, maximum: 100, default: PAGE_SIZE })),
  page_token: optional(string({ maxLength: 256 })),
})
const list = object({
  photos: array(photoSchema, 100),
  next_page_token: optional(string({ maxLength: 256 })),
})
const content = object({
  url: string({ maxLength: 4096, format: 'uri' }),
  expires_at: string({ maxLength: 32, format: 'date-time' }),
})

export const endpoint = defineEndpoint({
  name: 'photos',
  routes: {
    'GET /photos': {
      summary: 'Your photos, newest first',
      access: 'user',
      query: page,
      replies: {
        200: {
          description: 'A page; `next_page_token` is absent on the last',
          schema: list,
          example: { photos: [photoExample] },
        },
      },
      problems: ['unavailable'],
    },
    'GET /photos/{id}': {
      summary: 'One of your photos',
      access: 'user',
      params: photoId,
      replies: { 200: { description: 'The photo', schema: photoSchema, example: photoExample } },
      problems: ['not_found', 'unavailable'],
    },
    'GET /photos/{id}/content': {
      summary: 'Where its bytes are',
      description:
        'A signed address in Cloud Storage that lives for 5 minutes and wants no `Authorization`.',
      access: 'user',
      params: photoId,
      replies: {
        200: {
          description: 'The address, where `Accept` names `application/json`',
          schema: content,
          example: {
            url: 'https://storage.googleapis.com/photos/photos/abc?X-Goog-Signature=0a1b',
            expires_at: '2026-05-06T07:13:09.123Z',
          },
        },
        302: { description: 'The way there', headers: ['Location'] },
      },
      problems: ['not_found', 'not_acceptable', 'unavailable'],
    },
    'DELETE /photos/{id}': {
      summary: 'Delete one of your photos',
      description: '204 whenever you have no such photo afterwards.',
      access: 'user',
      params: photoId,
      replies: { 204: { description: 'You have no such photo' } },
      problems: ['unavailable'],
    },
  },
})

async function ownPhoto(userId: string, id: string) {
  const photo = await findPhoto(database, userId, id)
  if (photo === undefined) throw new ProblemError('not_found')
  return photo
}

function positionOf(token: string | undefined) {
  const position = token === undefined ? undefined : parsePageToken(token)
  if (token === undefined || position !== undefined) return position
  const errors = [{ field: 'page_token', message: 'must be a next_page_token of this list' }]
  throw new ProblemError('invalid_request', { errors })
}

serve(
  endpoint,
  {
    'GET /photos': async ({ caller, query }) => {
      const size = query.page_size ?? PAGE_SIZE
      const after = positionOf(query.page_token)
      const { photos, next } = await listPhotos(database, caller.userId, { size, after })
      const more = next === undefined ? {} : { next_page_token: printPageToken(next) }
      return { status: 200, body: { photos: photos.map(photoJson), ...more } }
    },

    'GET /photos/{id}': async ({ caller, params }) => ({
      status: 200,
      body: photoJson(await ownPhoto(caller.userId, params.id)),
    }),

    'GET /photos/{id}/content': async ({ caller, params, now, accepts }) => {
      const photo = await ownPhoto(caller.userId, params.id)
      const wanted = accepts([photo.contentType, 'application/json'])
      const expiresAt = new Date(now.getTime() + CONTENT_SECONDS * 1000)
      const url = await files.signedAddress({
        name: photo.objectName,
        contentType: photo.contentType,
        contentDisposition: inlineDisposition(photo.originalName),
        now,
        expiresAt,
      })
      if (wanted !== 'application/json') return { status: 302, headers: { Location: url } }
      return { status: 200, body: { url, expires_at: expiresAt.toISOString() } }
    },

    'DELETE /photos/{id}': async ({ caller, params }) => {
      const orphan = await hidePhoto(database, caller.userId, params.id)
      if (orphan !== undefined) {
        await files.remove(orphan.objectName)
        await forgetOrphan(database, orphan.id)
      }
      return { status: 204 }
    },
  },
  { identify },
)
