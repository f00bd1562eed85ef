import { settings } from '../shared/config.ts'
import { defineEndpoint } from '../shared/http/endpoint.ts'
import { integer, object } from '../shared/http/schema.ts'
import { serve } from '../shared/http/serve.ts'
import { openDatabase } from '../shared/store/firestore.ts'
import { openPhotoFiles } from '../shared/store/photo-files.ts'
import { sweep } from '../shared/store/sweep.ts'

const config = settings('GOOGLE_CLOUD_PROJECT', 'FIRESTORE_DATABASE', 'PHOTO_BUCKET', 'K_SERVICE')
const database = openDatabase(config)
const files = openPhotoFiles(config)

/** No batch begins later, so that the last one ends within the function's timeout. */
const LATE_MS = 240_000

const count = integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const swept = object({
  pending_photos: count,
  orphans: count,
  direct_uploads: count,
  accounts: count,
  unnamed_objects: count,
})

export const endpoint = defineEndpoint({
  name: 'sweep',
  routes: {
    'POST /': {
      summary: 'Remove what crashes left behind',
      description: 'Only for Cloud Scheduler, whose identity the platform checks.',
      access: 'anyone',
      replies: { 200: { description: 'How many of each were removed', schema: swept } },
      problems: ['unavailable'],
      deadlineMs: 290_000,
    },
  },
})

serve(endpoint, {
  'POST /': async () => {
    const startedAt = performance.now()
    const isLate = () => performance.now() - startedAt > LATE_MS
    return { status: 200, body: await sweep({ database, files, isLate }) }
  },
})
