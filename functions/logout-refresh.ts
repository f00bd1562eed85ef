import { settings } from '../shared/config.ts'
import { sameHash, splitRefreshToken } from '../shared/crypto/refresh-token.ts'
import { ProblemError } from '../shared/domain/problem.ts'
import { defineEndpoint, optionalJsonBody } from '../shared/http/endpoint.ts'
import { serve } from '../shared/http/serve.ts'
import {
  loggedOut,
  presentedToken,
  refreshTokenBody,
  refreshTokenExample,
} from '../shared/http/token-reply.ts'
import { openDatabase } from '../shared/store/firestore.ts'
import { logOut } from '../shared/store/sessions.ts'

const config = settings('GOOGLE_CLOUD_PROJECT', 'FIRESTORE_DATABASE')
const database = openDatabase(config)

export const endpoint = defineEndpoint({
  name: 'logout-refresh',
  routes: {
    'POST /logout/refresh': {
      summary: 'Sign out this device, with its refresh token',
      description:
        'Ends the whole session where it is the current or the previous refresh token. Whatever has the form of one is 200, so a repeat is, too.',
      access: 'anyone',
      body: optionalJsonBody(refreshTokenBody, refreshTokenExample),
      replies: { 200: loggedOut('Refresh token has been revoked') },
      problems: ['token_missing', 'token_invalid', 'unavailable'],
    },
  },
})

serve(endpoint, {
  'POST /logout/refresh': async ({ body, bearer, event }) => {
    const presented = splitRefreshToken(presentedToken(body, bearer))
    if (presented === undefined) throw new ProblemError('token_invalid')
    const { sessionId: sid, hash } = presented
    const ended = await logOut(
      database,
      sid,
      ({ currentHash, previousHash }) =>
        sameHash(hash, currentHash) || sameHash(hash, previousHash),
    )
    if (ended) event('logout', { uid: presented.userId, sid })
    return { status: 200, body: { message: 'Refresh token has been revoked' } }
  },
})
