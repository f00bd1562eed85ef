import { identifyCaller } from '../shared/caller.ts'
import { atStart, settings } from '../shared/config.ts'
import { randomId } from '../shared/crypto/random-id.ts'
import { completeUpload, startUpload } from '../shared/direct-intake.ts'
import type { DirectUpload } from '../shared/domain/direct-upload.ts'
import { displayName } from '../shared/domain/photo.ts'
import { PHOTO_CONTENT_TYPES } from '../shared/domain/photo-type.ts'
import { ProblemError } from '../shared/domain/problem.ts'
import { defineEndpoint, jsonBody, optionalJsonBody } from '../shared/http/endpoint.ts'
import { completionReplies, uploadReply } from '../shared/http/photo-reply.ts'
import { rateLimited, rateLimitHeaders } from '../shared/http/rate-limit-headers.ts'
import { integer, object, optional, string } from '../shared/http/schema.ts'
import { serve } from '../shared/http/serve.ts'
import { admitDirectUpload, fingerprintOf } from '../shared/store/direct-admission.ts'
import { openDatabase } from '../shared/store/firestore.ts'
import { keyIdOf } from '../shared/store/idempotency-keys.ts'
import { openPhotoFiles } from '../shared/store/photo-files.ts'

const config = settings(
  'GOOGLE_CLOUD_PROJECT',
  'FIRESTORE_DATABASE',
  'PHOTO_BUCKET',
  'K_SERVICE',
  'JWKS_FILE',
  'TOKEN_ISSUER',
  'TOKEN_AUDIENCE',
  'TOKENS_NOT_BEFORE',
  'UPLOAD_LIMIT',
  'MAX_DIRECT_PHOTO_BYTES',
  'MAX_PHOTO_PIXELS',
  'PHOTO_QUOTA_BYTES',
  'PHOTO_QUOTA_COUNT',
)
const database = openDatabase(config)
const files = openPhotoFiles(config)
const identify = atStart(() => identifyCaller(database, config))
const limits = {
  rates: config.UPLOAD_LIMIT,
  quota: { count: config.PHOTO_QUOTA_COUNT, bytes: config.PHOTO_QUOTA_BYTES },
}

const announced = object({
  content_type: string({ maxLength: 64, example: 'image/jpeg' }),
  bytes: integer({
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'That will be sent',
  }),
  sha256: optional(
    string({ maxLength: 64, pattern: /^[0-9a-f]{64}$/, description: 'Of what will be sent' }),
  ),
  original_name: optional(string({ maxLength: 4096, example: 'beach.jpg' })),
})
const session = object({
  id: string({ maxLength: 64 }),
  upload_url: string({ maxLength: 4096, format: 'uri' }),
  expires_at: string({ maxLength: 32, format: 'date-time' }),
})
const announcedExample = {
  content_type: 'image/jpeg',
  bytes: 31_457_280,
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  original_name: 'beach.jpg',
}
const sessionExample = {
  id: 'Rk3vO9cQ1mB7xZ2pYt5nWg',
  upload_url:
    'https://storage.googleapis.com/upload/storage/v1/b/photos/o?uploadType=resumable&upload_id=ABc',
  expires_at: '2026-05-06T08:08:09.123Z',
}
const uploadId = object({
  id: string({ maxLength: 64, pattern: /^(?!__.*__$)[A-Za-z0-9_-]{1,64}$/ }),
})

export const endpoint = defineEndpoint({
  name: 'uploads',
  routes: {
    'POST /uploads': {
      summary: 'Announce a large photo',
      description:
        'The answer has the address of a Cloud Storage resumable session, started with the announced size and type. PUT the bytes there, whole or in multiples of 256 KiB with `Content-Range`, without `Authorization`; ask with `Content-Range: bytes */N` where it stands; `DELETE` it to cancel. Then complete the upload, within an hour.',
      access: 'user',
      idempotent: true,
      body: jsonBody(announced, announcedExample),
      replies: {
        200: {
          description: 'This was announced before and is still open: the first answer again',
          schema: session,
          example: sessionExample,
          headers: ['Idempotency-Replayed'],
        },
        201: {
          description: 'Where to send it',
          schema: session,
          example: sessionExample,
          headers: ['RateLimit', 'RateLimit-Policy'],
        },
      },
      problems: [
        'photo_too_large',
        'unsupported_image_type',
        'quota_exceeded',
        'rate_limited',
        'idempotency_key_in_use',
        'idempotency_key_reused',
        'unavailable',
      ],
      deadlineMs: 30_000,
    },
    'POST /uploads/{id}/complete': {
      summary: 'Make the photo of what was sent',
      description:
        'Checks and cleans it as `POST /file` does. A refusal ends the upload; `upload_incomplete` and what is retryable do not.',
      access: 'user',
      params: uploadId,
      body: optionalJsonBody(object({}), {}),
      replies: completionReplies,
      problems: [
        'not_found',
        'upload_incomplete',
        'upload_mismatch',
        'unsupported_image_type',
        'image_damaged',
        'photo_too_many_pixels',
        'idempotency_key_in_use',
        'unavailable',
      ],
      deadlineMs: 300_000,
    },
  },
})

function checked(body: { readonly content_type: string; readonly bytes: number }) {
  const contentType = PHOTO_CONTENT_TYPES.find((type) => type === body.content_type)
  if (contentType === undefined) throw new ProblemError('unsupported_image_type')
  if (body.bytes > config.MAX_DIRECT_PHOTO_BYTES) throw new ProblemError('photo_too_large')
  return contentType
}

function sessionReply(
  status: 200 | 201,
  upload: DirectUpload,
  uploadUrl: string,
  headers: Readonly<Record<string, string>>,
) {
  const body = { id: upload.id, upload_url: uploadUrl, expires_at: upload.expiresAt.toISOString() }
  return { status, headers, body }
}

serve(
  endpoint,
  {
    'POST /uploads': async ({ caller, body, idempotencyKey, publicUrl }) => {
      const start = {
        userId: caller.userId,
        uploadId: randomId(),
        contentType: checked(body),
        bytes: body.bytes,
        sha256: body.sha256,
        originalName: displayName(body.original_name),
        keyId: idempotencyKey && keyIdOf(caller.userId, 'direct-upload', idempotencyKey),
      }
      const fingerprint = fingerprintOf(start)
      const admission = await admitDirectUpload(database, start, limits)
      if (admission.outcome === 'limited') throw rateLimited(admission.policy, admission.verdict)

      if (admission.outcome === 'repeat') {
        const { upload, receivedSha256 } = admission
        if (receivedSha256 !== fingerprint || upload.sessionUrl === undefined) {
          throw new ProblemError('idempotency_key_reused')
        }
        return sessionReply(200, upload, upload.sessionUrl, { 'Idempotency-Replayed': 'true' })
      }

      // The console's page is served there, and sends from it.
      const origin = publicUrl && new URL(publicUrl).origin
      const address = await startUpload({ database, files }, admission, fingerprint, origin)
      const headers = rateLimitHeaders('upload', admission.window.windows)
      return sessionReply(201, admission.upload, address, headers)
    },

    'POST /uploads/{id}/complete': async ({ caller, params, publicUrl, event }) => {
      const { photo, repeated } = await completeUpload({
        database,
        files,
        callerId: caller.userId,
        uploadId: params.id,
        photoId: randomId(),
        maxPixels: config.MAX_PHOTO_PIXELS,
        cutOff: (bytes) => event('trailing_bytes_cut', { bytes }),
      })
      return uploadReply(repeated ? 200 : 201, photo, publicUrl)
    },
  },
  { identify },
)
