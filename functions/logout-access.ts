import { CALLER_SETTINGS } from '../shared/caller.ts'
import { atStart, settings } from '../shared/config.ts'
import { openTokenVerifier } from '../shared/crypto/token-verifier.ts'
import { requiredToken } from '../shared/http/bearer.ts'
import { defineEndpoint } from '../shared/http/endpoint.ts'
import { serve } from '../shared/http/serve.ts'
import { loggedOut } from '../shared/http/token-reply.ts'
import { openDatabase } from '../shared/store/firestore.ts'
import { logOut } from '../shared/store/sessions.ts'

const config = settings('GOOGLE_CLOUD_PROJECT', 'FIRESTORE_DATABASE', ...CALLER_SETTINGS)
const database = openDatabase(config)
const verifier = atStart(() => openTokenVerifier(config))

export const endpoint = defineEndpoint({
  name: 'logout-access',
  routes: {
    'POST /logout/access': {
      summary: 'Sign out this device, with its access token',
      description:
        'Ends the whole session: from then on access and refresh token are refused everywhere. A repeat is 200 again.',
      access: 'anyone',
      replies: { 200: loggedOut('Access token has been revoked') },
      problems: ['token_missing', 'token_invalid', 'token_expired', 'unavailable'],
    },
  },
})

serve(endpoint, {
  'POST /logout/access': async ({ bearer, now, event }) => {
    const claims = await verifier.verify(requiredToken(bearer), now)
    const ended = await logOut(
      database,
      claims.sessionId,
      (session) => session.userId === claims.userId,
    )
    if (ended) event('logout', { uid: claims.userId, sid: claims.sessionId })
    return { status: 200, body: { message: 'Access token has been revoked' } }
  },
})
