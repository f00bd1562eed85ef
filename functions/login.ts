import { atStart, settings } from '../shared/config.ts'
import { openLoginKeys } from '../shared/crypto/keyed-hash.ts'
import { during, openPasswordHasher } from '../shared/crypto/password-hasher.ts'
import { ISSUER_SETTINGS, openTokenIssuer } from '../shared/crypto/token-issuer.ts'
import { networkOf } from '../shared/domain/network.ts'
import { normalisePassword } from '../shared/domain/password.ts'
import { ProblemError } from '../shared/domain/problem.ts'
import { deviceName } from '../shared/domain/session.ts'
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
import { type AttemptVerdict, openLogin } from '../shared/store/login-attempts.ts'
import { listSessionLives } from '../shared/store/sessions.ts'
import { commitLogin, readLogin } from '../shared/store/sign-in.ts'
import type { Account, LoginChanges } from '../shared/store/usernames.ts'

const config = settings(
  'GOOGLE_CLOUD_PROJECT',
  'FIRESTORE_DATABASE',
  ...ISSUER_SETTINGS,
  'LOGIN_LIMIT_PER_ADDRESS',
  'LOGIN_LIMIT_PER_ACCOUNT',
)
const database = openDatabase(config)
const tokens = atStart(() => openTokenIssuer(config))
const loginKeys = openLoginKeys(tokens.secrets)
const hasher = openPasswordHasher()

export const endpoint = defineEndpoint({
  name: 'login',
  routes: {
    'POST /login': {
      summary: 'Sign in on a device',
      description:
        'An unknown name and a wrong password are the same answer in the same time. With the 21st device, the least recently used one is signed out.',
      access: 'anyone',
      body: jsonBody(credentials, credentialsExample),
      replies: { 200: signedIn('Logged in as kartik') },
      problems: ['invalid_credentials', 'rate_limited', 'unavailable'],
    },
  },
})

serve(endpoint, {
  'POST /login': async ({ body, address, event }) => {
    const username = usernameOf(body.username)
    const password = normalisePassword(body.password)
    const network = networkOf(address)
    const keys = loginKeys({ username, address: limitNetwork(address), network })
    const admit = (limit: AttemptVerdict) => {
      if (limit.admitted) return
      event('login_throttled', { account: keys.account, policy: limit.policy }, 'WARNING')
      throw rateLimited(limit.policy, limit)
    }

    hasher.demandRoom()
    const attempt = openLogin(database, keys, config)
    const { account, verdict, readAt } = await readLogin(database, username, attempt)
    admit(verdict)
    const opened = await hasher.inTurn(async (hashes) => {
      const listing = listSessionLives(database, account?.userId ?? keys.account)
      const [check, [counted, listed]] = await during(
        hashes.verify(account?.passwordHash, password),
        Promise.all([attempt.count(), listing]),
      )
      admit(counted)
      if (check.damaged) event('password_hash_damaged', { account: keys.account }, 'ALERT')
      if (account === undefined || !check.matches) return await attempt.fail()

      const better = check.weak ? await hashes.hash(password) : undefined
      const { userId, sessionEpoch } = account
      const device = { userId, sessionEpoch, network, name: deviceName(body.device_name) }
      const { session, refreshToken } = tokens.begin(device, readAt)
      const changes = changesOf(account, keys.account, better)
      const matches = async (hash: string) => (await hashes.verify(hash, password)).matches
      const login = { account, session, listed, attempt, changes, matches }
      const stored = await commitLogin(database, login)
      return stored === undefined ? await attempt.fail() : { session: stored, refreshToken }
    })
    if (opened === undefined) {
      const hundredth = (verdict.failures + 1) % 100 === 0
      event('login_failed', { account: keys.account }, hundredth ? 'ALERT' : 'NOTICE')
      throw new ProblemError('invalid_credentials')
    }
    const { session, refreshToken } = opened
    event('login', { uid: session.userId, sid: session.id })
    const pair = await tokens.pair(session, refreshToken, readAt)
    const message = `Logged in as ${username}`
    return { status: 200, body: { message, ...tokenMembers(pair) } }
  },
})

/** What a login mends besides: a weak hash (PW-06), and the id of the counter after a new secret. */
function changesOf(
  account: Account,
  counterId: string,
  passwordHash: string | undefined,
): LoginChanges {
  const counter = account.counterId === counterId ? {} : { counterId }
  return passwordHash === undefined ? counter : { ...counter, passwordHash }
}
