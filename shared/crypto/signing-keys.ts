/** The key that signs access tokens (KEY-05, KEY-06); only what makes tokens imports it. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { StartError } from '../domain/start-error.ts'
import {
  COORDINATE,
  importKey,
  type JwksFile,
  jwksWatch,
  type PublicJwk,
  parseObject,
  parsePublicKeys,
  publicJwk,
  thumbprint,
} from './public-keys.ts'
import { readOnce, type Watched, watchFile } from './watched-file.ts'

/** `origin` tells keys that a local run made for itself: they are refused where `K_SERVICE` is set. */
export type PrivateJwk = PublicJwk & { readonly d: string; readonly origin?: 'local' }

export type SigningKey = {
  readonly publicJwk: PublicJwk
  readonly kid: string
  readonly key: KeyObject
  readonly isLocal: boolean
}

const SIGNING_FORM =
  'SIGNING_KEY_FILE must hold one private JWK: P-256, alg ES256, kid its thumbprint'

export function parseSigningKey(content: string): SigningKey {
  const jwk = parseObject(content, SIGNING_FORM)
  const shown = publicJwk(jwk, SIGNING_FORM)
  const { d, origin } = jwk
  if (typeof d !== 'string' || !COORDINATE.test(d)) throw new StartError(SIGNING_FORM)
  const key = importKey(
    () => createPrivateKey({ key: { ...shown, d }, format: 'jwk' }),
    SIGNING_FORM,
  )
  return { publicJwk: shown, kid: shown.kid, key, isLocal: origin === 'local' }
}

export type SigningFiles = JwksFile & { readonly SIGNING_KEY_FILE: string }

/**
 * The signing key, which the public set must hold; a self-test signs and verifies (KEY-06). Read again
 * later, too: a key that its set does not hold yet is not taken up. Throws StartError.
 */
export function openSigningKey(config: SigningFiles): Watched<SigningKey> {
  const deployed = config.K_SERVICE !== ''
  const watch = {
    variable: 'SIGNING_KEY_FILE',
    path: config.SIGNING_KEY_FILE,
    secret: true,
    deployed,
  }
  return watchFile(watch, (content) => {
    const signing = parseSigningKey(content)
    if (signing.isLocal && deployed) {
      throw new StartError(
        'SIGNING_KEY_FILE must not name a key of a local run where K_SERVICE is set',
      )
    }
    const shown = readOnce(jwksWatch(config), parsePublicKeys).byId.get(signing.kid)
    if (shown === undefined) throw new StartError('JWKS_FILE must hold the key of SIGNING_KEY_FILE')
    selfTest(signing.key, shown)
    return signing
  })
}

function selfTest(privateKey: KeyObject, publicKey: KeyObject): void {
  const probe = Buffer.from('wowmedia')
  if (!verify('sha256', probe, publicKey, sign('sha256', probe, privateKey))) {
    throw new StartError('SIGNING_KEY_FILE must hold the private key of its entry in JWKS_FILE')
  }
}

/** A new key; `privateJwk` is what `SIGNING_KEY_FILE` holds, `publicJwk` its entry in `JWKS_FILE`. */
export function generateSigningKey(): {
  readonly privateJwk: PrivateJwk
  readonly publicJwk: PublicJwk
} {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' })
  const shown = {
    kty: 'EC',
    crv: 'P-256',
    x,
    y,
    alg: 'ES256',
    use: 'sig',
    kid: thumbprint(x, y),
  } as const
  return { privateJwk: { ...shown, d }, publicJwk: shown }
}
