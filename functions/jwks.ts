import { atStart, settings } from '../shared/config.ts'
import { openPublicKeys } from '../shared/crypto/public-keys.ts'
import { defineEndpoint } from '../shared/http/endpoint.ts'
import { array, object, oneOf, string } from '../shared/http/schema.ts'
import { serve } from '../shared/http/serve.ts'

const config = settings('JWKS_FILE', 'K_SERVICE')
const publicKeys = atStart(() => openPublicKeys(config))

const coordinate = string({ minLength: 43, maxLength: 43, pattern: /^[A-Za-z0-9_-]{43}$/ })
const jwk = object({
  kty: oneOf(['EC']),
  crv: oneOf(['P-256']),
  x: coordinate,
  y: coordinate,
  alg: oneOf(['ES256']),
  use: oneOf(['sig']),
  kid: string({ maxLength: 64, description: 'RFC 7638 thumbprint' }),
})

/** The public key of RFC 7517's appendix A.1. */
const EXAMPLE = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
  alg: 'ES256',
  use: 'sig',
  kid: 'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s',
}

export const endpoint = defineEndpoint({
  name: 'jwks',
  routes: {
    'GET /.well-known/jwks.json': {
      summary: 'The public keys that verify access tokens',
      access: 'anyone',
      replies: {
        200: {
          description: 'A JWK Set (RFC 7517), cacheable for 5 minutes',
          schema: object({ keys: array(jwk, 16) }),
          example: { keys: [EXAMPLE] },
        },
      },
      problems: [],
    },
  },
})

serve(endpoint, {
  'GET /.well-known/jwks.json': async () => ({
    status: 200,
    headers: { 'Cache-Control': 'public, max-age=300' },
    body: { keys: publicKeys.current().jwks },
  }),
})
