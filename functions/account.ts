import { CALLER_SETTINGS, identifyCaller } from '../shared/caller.ts'
import { atStart, settings } from '../shared/config.ts'
import { commonPasswords } from '../shared/crypto/common-passwords.ts'
import { during, openPasswordHasher } from '../shared/crypto/password-hasher.ts'
import { newPassword, normalisePassword } from '../shared/domain/password.ts'
import { ProblemError } from '../shared/domain/problem.ts'
import type { Caller } from '../shared/domain/role.ts'
import {
  accountJson,
  accountReply,
  exportChunks,
  exportReply,
} from '../shared/http/account-reply.ts'
import { defineEndpoint, jsonBody, type SecurityEvent } from '../shared/http/endpoint.ts'
import { rateLimited, rateLimitHeaders } from '../shared/http/rate-limit-headers.ts'
import { object, string } from '../shared/http/schema.ts'
import { serve } from '../shared/http/serve.ts'
import { removeAccount } from '../shared/store/account-deletion.ts'
import { findAccount, readOwnUser } from '../shared/store/accounts.ts'
import { beginDeletion } from '../shared/store/deletions.ts'
import { openDatabase } from '../shared/store/firestore.ts'
import { type LoginAttempt, openConfirmation } from '../shared/store/login-attempts.ts'
import { commitPasswordChange } from '../shared/store/password-change.ts'
import { openPhotoFiles } from '../shared/store/photo-files.ts'
import { photoPages } from '../shared/store/photo-pages.ts'
import { takePlaceIn, userLimitId } from '../shared/store/rate-limits.ts'
import { untilWon } from '../shared/store/rounds.ts'
import { liveSessions } from '../shared/store/sessions.ts'
import type { Account } from '../shared/store/usernames.ts'

const config = settings(
  'GOOGLE_CLOUD_PROJECT',
  'FIRESTORE_DATABASE',
  'PHOTO_BUCKET',
  'UPLOAD_LIMIT',
  'LOGIN_LIMIT_PER_ACCOUNT',
  'PHOTO_QUOTA_BYTES',
  'PHOTO_QUOTA_COUNT',
  'PASSWORD_MIN_LENGTH',
  ...CALLER_SETTINGS,
)
const database = openDatabase(config)
const files = openPhotoFiles(config)
const hasher = openPasswordHasher()
const identify = atStart(() => identifyCaller(database, config))

/** RL-04. */
const CHANGES = [{ count: 5, windowSeconds: 3600 }]
const EXPORTS = [{ count: 5, windowSeconds: 86_400 }]
/** What is not removed by then is left to the sweep. */
const REMOVAL_MS = 8_000

const password = (description: string) =>
  string({ minLength: 1, maxLength: 2048, format: 'password', description })

export const endpoint = defineEndpoint({
  name: 'account',
  routes: {
    'GET /account': {
      summary: 'The own account, what its photos take and what it may have',
      access: 'user',
      replies: { 200: accountReply },
      problems: [],
    },
    'PUT /account/password': {
      summary: 'Change the password',
      description:
        'Signs out all other devices. After a lost reply the repeat is 401 `invalid_credentials`: log in with the new password.',
      access: 'user',
      body: jsonBody(
        object({
          current_password: password('The password until now'),
          new_password: password('At most 1,024 bytes after NFC'),
        }),
        { current_password: 'a long enough secret', new_password: 'an even longer secret' },
      ),
      replies: { 204: { description: 'Changed; this device stays signed in' } },
      problems: ['invalid_credentials', 'password_too_common', 'rate_limited'],
    },
    'DELETE /account': {
      summary: 'Delete the own account',
      description:
        'Refused everywhere at once; photos, sessions and counters go within the call or by the sweep, then the name is free.',
      access: 'user',
      body: jsonBody(object({ password: password('To confirm') }), {
        password: 'a long enough secret',
      }),
      replies: { 204: { description: 'Deleted' } },
      problems: ['invalid_credentials', 'rate_limited'],
    },
    'GET /account/export': {
      summary: 'All own data as one JSON document, 5 times a day',
      access: 'user',
      deadlineMs: 300_000,
      replies: { 200: exportReply },
      problems: ['rate_limited'],
    },
  },
})

type Confirmed = { readonly account: Account; readonly attempt: LoginAttempt }

/** The account, once its password was given: wrong ones count like failed logins (RL-05). */
async function confirm(caller: Caller, given: string, event: SecurityEvent): Promise<Confirmed> {
  const account = await findAccount(database, caller.username)
  if (account?.userId !== caller.userId) throw new ProblemError('session_ended')
  const attempt = openConfirmation(database, account.counterId, config)
  const [check, counted] = await hasher.inTurn(({ verify }) =>
    during(verify(account.passwordHash, given), attempt.count()),
  )
  if (!counted.admitted) {
    event('password_confirmation_throttled', { uid: caller.userId }, 'WARNING')
    throw rateLimited(counted.policy, counted)
  }
  if (check.matches) return { account, attempt }
  await attempt.fail()
  event('password_confirmation_failed', { uid: caller.userId }, 'NOTICE')
  throw new ProblemError('invalid_credentials')
}

/**
 * After a lost race: the account as it is now, with the password compared again where its hash was replaced, as a
 * login may have done (PW-06); undefined where its deletion has begun.
 */
async function compareAgain(caller: Caller, given: string, before: Account) {
  const now = await findAccount(database, caller.username)
  if (now?.userId !== caller.userId || now.passwordHash === undefined) return undefined
  if (now.passwordHash === before.passwordHash) return now
  if ((await hasher.verify(now.passwordHash, given)).matches) return now
  throw new ProblemError('invalid_credentials')
}

async function changePassword(
  caller: Caller,
  given: string,
  passwordHash: string,
  { account: compared, attempt }: Confirmed,
): Promise<void> {
  let account = compared
  await untilWon(async () => {
    const change = { account, passwordHash, sessionId: caller.sessionId }
    const outcome = await commitPasswordChange(database, change, attempt.succeed)
    if (outcome === 'committed') return outcome
    const now = await findAccount(database, caller.username)
    if (now?.passwordHash === passwordHash) return 'committed'
    const same = await compareAgain(caller, given, account)
    if (same === undefined) throw new ProblemError('session_ended')
    account = same
    return outcome
  })
}

async function markDeleted(caller: Caller, given: string, compared: Account): Promise<void> {
  let account = compared
  await untilWon(async () => {
    const marked = await beginDeletion(database, account, caller.readAt, account.updateTime)
    if (marked === 'committed') return marked
    const same = await compareAgain(caller, given, account)
    if (same === undefined) return 'committed'
    account = same
    return marked
  })
}

/** Within the call where that is quick; what fails or takes longer is left to the sweep, since the mark stays. */
async function removeMarked(caller: Caller, account: Account, event: SecurityEvent) {
  const endsAt = performance.now() + REMOVAL_MS
  const { userId, username, counterId } = account
  try {
    const { finished } = await removeAccount({
      database,
      files,
      user: { id: userId, username, counterId },
      now: caller.readAt,
      isLate: () => performance.now() >= endsAt,
    })
    event('account_deleted', { uid: userId, finished }, 'NOTICE')
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    event('account_deleted', { uid: userId, finished: false, code: error.code }, 'WARNING')
  }
}

serve(
  endpoint,
  {
    'GET /account': async ({ caller }) => {
      const { user, usage } = await readOwnUser(database, caller.userId)
      const quota = { count: config.PHOTO_QUOTA_COUNT, bytes: config.PHOTO_QUOTA_BYTES }
      const body = accountJson(user, usage, { quota, rates: config.UPLOAD_LIMIT })
      return { status: 200, body }
    },

    'PUT /account/password': async ({ body, caller, event }) => {
      const { username } = caller
      const rules = {
        username,
        minLength: config.PASSWORD_MIN_LENGTH,
        common: await commonPasswords(),
      }
      const wanted = newPassword(body.new_password, rules, 'new_password')
      const given = normalisePassword(body.current_password, 'current_password')
      const place = await takePlaceIn(database, userLimitId('password', caller.userId), CHANGES)
      if (!place.admitted) throw rateLimited('password', place)
      const confirmed = await confirm(caller, given, event)
      await changePassword(caller, given, await hasher.hash(wanted), confirmed)
      event('password_changed', { uid: caller.userId, sid: caller.sessionId }, 'NOTICE')
      return { status: 204 }
    },

    'DELETE /account': async ({ body, caller, event }) => {
      const given = normalisePassword(body.password)
      const { account } = await confirm(caller, given, event)
      await markDeleted(caller, given, account)
      await removeMarked(caller, account, event)
      return { status: 204 }
    },

    'GET /account/export': async ({ caller, event }) => {
      const place = await takePlaceIn(database, userLimitId('export', caller.userId), EXPORTS)
      if (!place.admitted) throw rateLimited('export', place)
      const { user } = await readOwnUser(database, caller.userId)
      const sessions = await liveSessions(database, user.id, caller.sessionId, caller.readAt)
      event('account_exported', { uid: user.id }, 'NOTICE')
      return {
        status: 200,
        contentType: 'application/json',
        headers: {
          ...rateLimitHeaders('export', place.windows),
          'Content-Disposition': 'attachment; filename="wowmedia-export.json"',
        },
        chunks: exportChunks({
          owner: user,
          sessions,
          currentSessionId: caller.sessionId,
          photos: photoPages(database, user.id),
          exportedAt: caller.readAt,
        }),
      }
    },
  },
  { identify },
)
