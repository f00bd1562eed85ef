import { identifyCaller } from '../shared/caller.ts'
import { atStart, settings } from '../shared/config.ts'
import { randomId } from '../shared/crypto/random-id.ts'
import { ProblemError } from '../shared/domain/problem.ts'
import { FORM_BYTES } from '../shared/domain/quota.ts'
import { defineEndpoint } from '../shared/http/endpoint.ts'
import { receivePhoto } from '../shared/http/photo-body.ts'
import { uploadReplies, uploadReply } from '../shared/http/photo-reply.ts'
import { rateLimited, rateLimitHeaders } from '../shared/http/rate-limit-headers.ts'
import { serve } from '../shared/http/serve.ts'
import { receiveOnly, takeIn } from '../shared/photo-intake.ts'
import { admitFile } from '../shared/store/file-admission.ts'
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
  'MAX_PHOTO_BYTES',
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

export const endpoint = defineEndpoint({
  name: 'upload',
  routes: {
    'POST /file': {
      summary: 'Upload a photo',
      description:
        'A form with one part `file`, or the image itself as the body. JPEG, PNG, GIF, WebP, AVIF and HEIC, told by their bytes; location, serial numbers, names and comments are removed, pixels stay as they are. With an `Idempotency-Key` a repeat of the same bytes gives the same photo.',
      access: 'user',
      idempotent: true,
      body: { kind: 'photo', maxBytes: config.MAX_PHOTO_BYTES },
      replies: uploadReplies,
      problems: [
        'file_missing',
        'file_empty',
        'too_many_files',
        'malformed_multipart',
        'photo_too_large',
        'unsupported_image_type',
        'image_damaged',
        'photo_too_many_pixels',
        'quota_exceeded',
        'rate_limited',
        'idempotency_key_in_use',
        'idempotency_key_reused',
        'request_timeout',
        'unavailable',
      ],
      deadlineMs: 300_000,
    },
  },
})

serve(
  endpoint,
  {
    'POST /file': async ({ caller, body, idempotencyKey, publicUrl, event }) => {
      const { userId } = caller
      const start = {
        userId,
        attemptId: randomId(),
        declaredBytes: body.announcedBytes,
        formBytes: FORM_BYTES,
        maxBytes: config.MAX_PHOTO_BYTES,
        keyId: idempotencyKey && keyIdOf(userId, 'file', idempotencyKey),
      }
      const admission = await admitFile(database, start, limits)
      if (admission.outcome === 'limited') throw rateLimited(admission.policy, admission.verdict)

      if (admission.outcome === 'repeat') {
        const incoming = await body.receive()
        const received = await receiveOnly(incoming.stream)
        const { answer, receivedSha256 } = admission
        if (answer.photo === undefined || received.sha256 !== receivedSha256) {
          throw new ProblemError('idempotency_key_reused')
        }
        return uploadReply(200, answer.photo, publicUrl)
      }

      const cutOff = (bytes: number) => event('trailing_bytes_cut', { bytes })
      const intake = { database, files, admission, maxPixels: config.MAX_PHOTO_PIXELS, cutOff }
      const photo = await takeIn(intake, () => body.receive())
      const headers = rateLimitHeaders('upload', admission.window.windows)
      return uploadReply(201, photo, publicUrl, headers)
    },
  },
  { identify, receivePhoto },
)
