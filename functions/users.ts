import { CALLER_SETTINGS, identifyCaller } from '../shared/caller.ts'
import { atStart, settings } from '../shared/config.ts'
import { parsePageToken, printPageToken } from '../shared/domain/page.ts'
import { ProblemError } from '../shared/domain/problem.ts'
import { type Caller, ROLES } from '../shared/domain/role.ts'
import { defineEndpoint } from '../shared/http/endpoint.ts'
import { array, boolean, integer, object, oneOf, optional, string } from '../shared/http/schema.ts'
import { serve } from '../shared/http/serve.ts'
import type { Removed } from '../shared/store/account-deletion.ts'
import { markAllDeleted } from '../shared/store/deletions.ts'
import { openDatabase } from '../shared/store/firestore.ts'
import { openPhotoFiles } from '../shared/store/photo-files.ts'
import { countOthers, removeMarkedAccounts } from '../shared/store/removal-run.ts'
import { type ListedUser, listUsers } from '../shared/store/user-list.ts'

const config = settings(
  'GOOGLE_CLOUD_PROJECT',
  'FIRESTORE_DATABASE',
  'PHOTO_BUCKET',
  ...CALLER_SETTINGS,
)
const database = openDatabase(config)
const files = openPhotoFiles(config)
const identify = atStart(() => identifyCaller(database, config))

/** A password given within this time counts as recent (contract 2). */
const RECENT_MS = 5 * 60_000
/** What is not removed by then is left to a repeat or to the sweep (contract 2). */
const BUDGET_MS = 10_000
const MOST = 2 ** 31 - 1

const user = object({
  id: string({ maxLength: 64 }),
  username: string({ maxLength: 64, description: 'Folded' }),
  role: oneOf(ROLES),
  created_at: string({ maxLength: 32, format: 'date-time' }),
  photo_count: integer({ minimum: 0, maximum: MOST, description: 'Visible photos' }),
})
const pageToken = optional(string({ minLength: 1, maxLength: 128 }))
const counts = {
  message: string({ maxLength: 64, example: '3 row(s) deleted' }),
  users: integer({ minimum: 0, maximum: MOST }),
  sessions: integer({ minimum: 0, maximum: MOST }),
  photos: integer({ minimum: 0, maximum: MOST }),
}

const countsExample = { message: '3 row(s) deleted', users: 3, sessions: 4, photos: 27 }

export const endpoint = defineEndpoint({
  name: 'users',
  routes: {
    'GET /users': {
      summary: 'All users, oldest first',
      access: 'admin',
      query: object({
        page_size: optional(integer({ minimum: 1, maximum: 100, default: 50 })),
        page_token: pageToken,
      }),
      replies: {
        200: {
          description: 'A page; `next_page_token` is absent on the last',
          schema: object({ users: array(user, 100), next_page_token: pageToken }),
          example: {
            users: [
              {
                id: 'iu0E3vT7mQ2rXn5bYc8fZg',
                username: 'kartik',
                role: 'user',
                created_at: '2026-03-01T12:00:00.000Z',
                photo_count: 12,
              },
            ],
          },
        },
      },
      problems: [],
    },
    'DELETE /users': {
      summary: 'Remove all other users',
      description:
        'Their sessions, photos and counters go with them; the calling admin stays. All are refused at once. Needs a password that was given in the last 5 minutes, unless it is a dry run, which only counts.',
      access: 'admin',
      query: object({ dry_run: optional(boolean('Count only')) }),
      replies: {
        200: {
          description: 'What was removed, or would be',
          schema: object(counts),
          example: countsExample,
        },
        202: {
          description: 'What was removed so far; a repeat or the sweep goes on',
          schema: object({ ...counts, finished: boolean('Always false') }),
          example: { ...countsExample, finished: false },
        },
      },
      problems: ['reauthentication_required'],
    },
  },
})

function shown(listed: ListedUser) {
  return {
    id: listed.id,
    username: listed.username,
    role: listed.role,
    created_at: listed.createdAt.toISOString(),
    photo_count: listed.photoCount,
  }
}

function summary(removed: Removed) {
  return { message: `${removed.users} row(s) deleted`, ...removed }
}

function demandRecentPassword(caller: Caller): void {
  if (caller.readAt.getTime() - caller.authTime.getTime() <= RECENT_MS) return
  throw new ProblemError('reauthentication_required', {
    detail: 'Log in again: this needs a password that was given in the last 5 minutes.',
  })
}

serve(
  endpoint,
  {
    'GET /users': async ({ query }) => {
      const after = query.page_token === undefined ? undefined : parsePageToken(query.page_token)
      if (query.page_token !== undefined && after === undefined) {
        const errors = [{ field: 'page_token', message: 'must be a next_page_token' }]
        throw new ProblemError('invalid_request', { errors })
      }
      const page = await listUsers(database, { size: query.page_size ?? 50, after })
      const next = page.next === undefined ? {} : { next_page_token: printPageToken(page.next) }
      return { status: 200, body: { users: page.users.map(shown), ...next } }
    },

    'DELETE /users': async ({ query, caller, event }) => {
      if (query.dry_run === true) {
        return { status: 200, body: summary(await countOthers(database, caller.userId)) }
      }
      demandRecentPassword(caller)
      const endsAt = performance.now() + BUDGET_MS
      await markAllDeleted(database, caller.userId)
      event('all_users_deleted', { uid: caller.userId }, 'WARNING')
      const isLate = () => performance.now() >= endsAt
      const run = { database, files, now: caller.readAt, isLate }
      const { removed, finished } = await removeMarkedAccounts(run)
      if (finished) return { status: 200, body: summary(removed) }
      return { status: 202, body: { ...summary(removed), finished } }
    },
  },
  { identify },
)
