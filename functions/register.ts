import { atStart, settings } from '../shared/config.ts'
import { commonPasswords } from '../shared/crypto/common-passwords.ts'
import { openLoginKeys } from '../shared/crypto/keyed-hash.ts'
import { during, openPasswordHasher } from '../shared/crypto/password-hasher.ts'
import { randomId } from '../shared/crypto/random-id.ts'
import { ISSUER_SETTINGS, openTokenIssuer } from '../shared/crypto/token-issuer.ts'
import { networkOf } from '../shared/domain/network.ts'
import { newPassword } from '../shared/domain/password.ts'
import { ProblemError } from '../shared/domain/problem.ts'
import { deviceName } from '../shared/domain/session.ts'
import type { LimitVerdict } from '../shared/domain/sliding-window.ts'
import { usernameOf } from '../shared/domain/username.ts'
import { limitNetwork } from '../shared/http/client-address.ts'
import { defineEndpoint, jsonBody } from '../shared/http/endpoint.ts'
import { rateLimited } from '../shared/http/rate-limit-headers.ts'
import { serve } from '../shared/http/serve.ts'
import {
  credentials,
  credentialsExample,
  signedIn,
  tokenMembers,
} from '../shared/http/token-reply.ts'
import { openDatabase } from '../shared/store/firestore.ts'
import { openWindow } from '../shared/store/rate-limits.ts'
import { commitRegistration, readRegistration } from '../shared/store/sign-in.ts'

const config = settings(
  'GOOGLE_CLOUD_PROJECT',
  'FIRESTORE_DATABASE',
  ...ISSUER_SETTINGS,
  'PASSWORD_MIN_LENGTH',
  'REGISTRATION_LIMIT_PER_ADDRESS',
)
const database = openDatabase(config)
const tokens = atStart(() => openTokenIssuer(config))
const loginKeys = openLoginKeys(tokens.secrets)
const hasher = openPasswordHasher()

export const endpoint = defineEndpoint({
  name: 'register',
  routes: {
    'POST /registration': {
      summary: 'Create an account and sign in',
      description:
        'After a lost reply a repeat is 409 `username_taken`: log in with the password that was sent.',
      access: 'anyone',
      body: jsonBody(credentials, credentialsExample),
      replies: { 201: signedIn('User kartik was created') },
      problems: ['username_taken', 'password_too_common', 'rate_limited', 'unavailable'],
    },
  },
})

serve(endpoint, {
  'POST /registration': async ({ body, address, event }) => {
    const username = usernameOf(body.username)
    const minLength = config.PASSWORD_MIN_LENGTH
    const rules = { username, minLength, common: await commonPasswords() }
    const password = newPassword(body.password, rules)
    const network = networkOf(address)
    const keys = loginKeys({ username, address: limitNetwork(address), network })
    const admit = (limit: LimitVerdict) => {
      if (limit.admitted) return
      event('registration_throttled', {}, 'WARNING')
      throw rateLimited('registration', limit)
    }

    hasher.demandRoom()
    const rates = config.REGISTRATION_LIMIT_PER_ADDRESS
    const window = openWindow(database, `registration.${keys.address}`, rates)
    const { wasTaken, verdict, readAt } = await readRegistration(database, username, window)
    admit(verdict)
    const userId = randomId()
    const sessionEpoch = 0
    const device = { userId, sessionEpoch, network, name: deviceName(body.device_name) }
    const { session, refreshToken } = tokens.begin(device, readAt)
    const common = { username, sessionEpoch, counterId: keys.account, createdAt: readAt }
    const outcome = await hasher.inTurn(async ({ hash }) => {
      const [passwordHash, counted] = await during(hash(password), window.count())
      admit(counted)
      return await commitRegistration(database, {
        account: { ...common, userId, passwordHash, operationId: randomId() },
        user: { ...common, id: userId, role: 'user', deletingAt: undefined },
        session,
        keys,
        wasTaken,
      })
    })
    if (outcome === 'taken') {
      event('registration_refused', { account: keys.account, code: 'username_taken' })
      throw new ProblemError('username_taken')
    }
    event('registration', { uid: userId, sid: session.id })
    const pair = await tokens.pair(session, refreshToken, readAt)
    const message = `User ${username} was created`
    return { status: 201, body: { message, ...tokenMembers(pair) } }
  },
})
