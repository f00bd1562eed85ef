import { CALLER_SETTINGS, identifyCaller } from '../shared/caller.ts'
import { atStart, settings } from '../shared/config.ts'
import { ProblemError } from '../shared/domain/problem.ts'
import { deviceExample, deviceJson, deviceSchema } from '../shared/http/account-reply.ts'
import { defineEndpoint } from '../shared/http/endpoint.ts'
import { array, object, oneOf, optional, string } from '../shared/http/schema.ts'
import { serve } from '../shared/http/serve.ts'
import { openDatabase } from '../shared/store/firestore.ts'
import { liveSessions, revokeAllSessions, revokeSession } from '../shared/store/sessions.ts'

const config = settings('GOOGLE_CLOUD_PROJECT', 'FIRESTORE_DATABASE', ...CALLER_SETTINGS)
const database = openDatabase(config)
const identify = atStart(() => identifyCaller(database, config))

const id = string({ maxLength: 22, pattern: /^[A-Za-z0-9_-]{21}[AQgw]$/ })

export const endpoint = defineEndpoint({
  name: 'sessions',
  routes: {
    'GET /sessions': {
      summary: 'The devices that are signed in',
      access: 'user',
      replies: {
        200: {
          description: 'At most 20, the last used first',
          schema: object({ sessions: array(deviceSchema, 20) }),
          example: { sessions: [deviceExample] },
        },
      },
      problems: [],
    },
    'DELETE /sessions/{id}': {
      summary: 'Sign out one device',
      access: 'user',
      params: object({ id }),
      replies: { 204: { description: 'Signed out, at once; also where it was before' } },
      problems: ['not_found'],
    },
    'DELETE /sessions': {
      summary: 'Sign out all devices, or all others',
      access: 'user',
      query: object({ except: optional(oneOf(['current'])) }),
      replies: { 204: { description: 'Signed out, at once' } },
      problems: [],
    },
  },
})

serve(
  endpoint,
  {
    'GET /sessions': async ({ caller }) => {
      const live = await liveSessions(database, caller.userId, caller.sessionId, caller.readAt)
      const sessions = live.map((session) => deviceJson(session, caller.sessionId))
      return { status: 200, body: { sessions } }
    },

    'DELETE /sessions/{id}': async ({ caller, params, event }) => {
      if (!(await revokeSession(database, caller.userId, params.id))) {
        throw new ProblemError('not_found')
      }
      event('session_revoked', { uid: caller.userId, sid: params.id })
      return { status: 204 }
    },

    'DELETE /sessions': async ({ caller, query, event }) => {
      const kept = query.except === 'current' ? caller.sessionId : undefined
      const count = await revokeAllSessions(database, caller.userId, kept)
      event('sessions_revoked', { uid: caller.userId, count })
      return { status: 204 }
    },
  },
  { identify },
)
