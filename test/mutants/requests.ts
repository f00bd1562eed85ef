/** Broken handling of requests, and of what functions do with their stores. */
import { type Mutant, mutant } from './mutant.ts'

const CONTENT = 'shared/http/content.ts'
const JSON_TEST = 'test/http/json.test.ts'
const SURFACE_TEST = 'test/http/surface.test.ts'
const ADDRESS_TEST = 'test/http/client-address.test.ts'
const STRANGERS: readonly [string, string] = ['test/accounts/account.test.ts', 'AZ-02']
const AT_ONCE = 'test/accounts/effective-at-once.test.ts'
const KEYS_TEST = 'test/uploads/idempotency.test.ts'

export const REQUEST_MUTANTS: readonly Mutant[] = [
  mutant(
    'any origin reads answers',
    [
      'shared/http/cors.ts',
      "if (origin === undefined || !origins.includes(origin)) return { Vary: 'Origin' }",
      "if (origin === undefined) return { Vary: 'Origin' }",
    ],
    ['test/http/cors.test.ts'],
  ),
  mutant(
    'compressed bodies are taken as they are',
    [CONTENT, "if (encoding !== '' && encoding !== 'identity')", 'if (false)'],
    [JSON_TEST],
  ),
  mutant(
    'any content type is JSON',
    [CONTENT, "media?.type === 'application/json' && charset === 'utf-8'", 'media !== charset'],
    [JSON_TEST],
  ),
  mutant(
    'a member may be given twice',
    [
      'shared/http/json-body.ts',
      "if (names?.has(name)) throw malformed('A member is given twice')",
      '',
    ],
    [JSON_TEST],
  ),
  mutant(
    'JSON is nested without end',
    ['shared/http/json-body.ts', 'if (levels.length > MAX_DEPTH)', 'if (false)'],
    [JSON_TEST],
  ),
  mutant(
    'a body has no bound',
    ['shared/http/body-stream.ts', 'if (watch.bytes > maxBytes) {', 'if (false) {'],
    ['test/http/body-stream.test.ts', 'larger than its cap'],
  ),
  mutant(
    'TRACE is served',
    [
      'shared/http/routing.ts',
      "method === 'HEAD' ? 'GET' : method",
      "method === 'HEAD' || method === 'TRACE' ? 'GET' : method",
    ],
    [SURFACE_TEST, 'HTTP-01'],
  ),
  mutant(
    'browsers guess content types',
    ['shared/http/reply.ts', "'X-Content-Type-Options': 'nosniff',", ''],
    [SURFACE_TEST, 'HTTP-04'],
  ),
  mutant(
    'answers are kept by caches',
    ['shared/http/reply.ts', "'Cache-Control': 'no-store',", ''],
    [SURFACE_TEST, 'HTTP-04'],
  ),
  mutant(
    'errors of ours tell their text',
    [
      'shared/http/problem.ts',
      "new ProblemError('internal', { cause: thrown })",
      "new ProblemError('internal', { cause: thrown, detail: String(thrown) })",
    ],
    [SURFACE_TEST, 'HTTP-03'],
  ),
  mutant(
    'the log holds secrets of a failed request',
    ['shared/http/pipeline.ts', '[...exchange.secrets]', '[]'],
    ['test/http/log.test.ts', 'HTTP-08'],
  ),
  mutant(
    'the log holds queries',
    ['shared/http/pipeline.ts', '        path: head.path,', "        path: request.url ?? '',"],
    ['test/http/log.test.ts', 'HTTP-08'],
  ),
  mutant(
    'a caller chooses its address',
    ['shared/http/client-address.ts', '.slice(-hops)', '.slice(0, hops)'],
    [ADDRESS_TEST],
  ),
  mutant(
    'each address of a /64 has a limit of its own',
    ['shared/http/client-address.ts', 'prefix(address, 4)', 'prefix(address, 8)'],
    [ADDRESS_TEST],
  ),
  mutant(
    'a header that decides may be sent twice',
    ['shared/http/request-head.ts', 'if (repeated !== undefined) {', 'if (false) {'],
    ['test/auth/caller.test.ts', 'TOK-08'],
  ),
  mutant(
    'everybody is an admin',
    [
      'shared/http/access.ts',
      "if (route.access === 'admin' && caller.role !== 'admin') throw new ProblemError('admin_required')",
      '',
    ],
    ['test/auth/registration.test.ts', 'AUTH-07'],
  ),
]

export const STORE_MUTANTS: readonly Mutant[] = [
  mutant(
    'the epoch of a session is not compared',
    ['shared/store/sessions.ts', ' && session.sessionEpoch === user.sessionEpoch', ''],
    [AT_ONCE, 'after a password change'],
  ),
  mutant(
    'a logout waits for the token to expire',
    [
      'shared/store/sessions.ts',
      "replace(endSession(session, 'logout', readAt))",
      'replace(session)',
    ],
    [AT_ONCE, 'SES-10'],
  ),
  mutant(
    'users who were deleted with all go on',
    ['shared/store/sessions.ts', ' ||\n    isDeletedWithAll(mark, user.id, user.createdAt)', ''],
    ['test/auth/caller.test.ts', 'when all others were deleted'],
  ),
  mutant(
    'an account under deletion goes on',
    ['shared/store/sessions.ts', '    user.deletingAt !== undefined ||\n', ''],
    ['test/auth/caller.slow.test.ts', 'TOK-09'],
  ),
  mutant(
    'a session changes although it is not as it was read',
    [
      'shared/store/sessions.ts',
      'updateTime === undefined ? {} : { lastUpdateTime: updateTime }',
      '{ exists: updateTime !== undefined }',
    ],
    ['test/auth/sessions.test.ts', 'that a logout ends meanwhile'],
  ),
  mutant(
    'anybody ends a session',
    ['shared/store/sessions.ts', 'if (session?.userId !== userId) return false', ''],
    STRANGERS,
  ),
  mutant(
    'anybody reads a photo',
    ['shared/store/photos.ts', 'find((photo) => photo?.ownerId === ownerId)', 'find(() => true)'],
    STRANGERS,
  ),
  mutant(
    'a signed address for anybody’s photo',
    [
      'functions/photos.ts',
      "'GET /photos/{id}/content': async ({ caller, params, now, accepts }) => {\n      const photo = await ownPhoto(caller.userId, params.id)",
      "'GET /photos/{id}/content': async ({ params, now, accepts }) => {\n      const read = await database.client().collection('photos').doc(params.id).get()\n      const photo = await ownPhoto(String(read.get('owner_id')), params.id)",
    ],
    ['test/uploads/content.test.ts', 'nobody gets the address'],
  ),
  mutant(
    'a signed address lives for an hour',
    ['functions/photos.ts', 'CONTENT_SECONDS = 300', 'CONTENT_SECONDS = 3600'],
    ['test/uploads/content.test.ts', 'lives for 5 minutes'],
  ),
  mutant(
    'anybody deletes a photo',
    ['shared/store/photos.ts', 'if (photo?.ownerId === ownerId) {', 'if (photo !== undefined) {'],
    STRANGERS,
  ),
  mutant(
    'a page token is not looked at',
    [
      'functions/photos.ts',
      'if (token === undefined || position !== undefined) return position',
      'if (token !== null) return position',
    ],
    ['test/accounts/account.test.ts', 'as a page token is 400'],
  ),
  mutant(
    'other bytes get the answer of a key',
    ['functions/upload.ts', ' || received.sha256 !== receivedSha256', ''],
    [KEYS_TEST, 'other bytes with the same key'],
  ),
  mutant(
    'an upload that was given up becomes a photo',
    ['shared/store/pending-photos.ts', ', { exists: true })', ')'],
    ['test/uploads/sweep.test.ts', 'an upload that the sweep has given up'],
  ),
  mutant(
    'the sweep ignores the lease of a complete',
    ['shared/store/direct-removal.ts', ' || isLeased(upload, now)) return', ') return'],
    ['test/uploads/sweep.test.ts', 'never touched'],
  ),
  mutant(
    'a limit is counted on a log that has changed since',
    ['shared/store/rate-limits.ts', 'fields, { lastUpdateTime: updateTime })', 'fields)'],
    ['test/accounts/upload-limit.slow.test.ts', 'RL-02'],
  ),
  mutant(
    'a full limit admits uploads',
    [
      'shared/store/upload-admission.ts',
      "if (!window.admitted) return { outcome: 'limited', policy: 'upload', verdict: window }",
      '',
    ],
    ['test/uploads/limit.slow.test.ts', 'exactly 5 are accepted'],
  ),
  mutant(
    'a full quota admits uploads',
    [
      'shared/store/upload-admission.ts',
      "if (reservedBytes === undefined) throw new ProblemError('quota_exceeded')",
      'if (reservedBytes === undefined) return await takePlace(request, { ...reads, at: new Date() }, abandoned)',
    ],
    ['test/uploads/quota.test.ts', 'never exceed the number'],
  ),
  mutant(
    'a refresh is not limited',
    ['functions/refresh.ts', "if (!counted.admitted) throw rateLimited('refresh', counted)", ''],
    ['test/auth/sessions.test.ts', '61st time'],
  ),
  mutant(
    'a login with the hash of before a change succeeds',
    ['shared/store/usernames.ts', 'fields, precondition)\n', 'fields)\n'],
    ['test/auth/devices.test.ts', 'SES-11'],
  ),
  mutant(
    'all are deleted without a recent password',
    ['functions/users.ts', '      demandRecentPassword(caller)\n', ''],
    ['test/accounts/users.slow.test.ts', 'more than 5 minutes ago'],
  ),
  mutant(
    'an account is deleted without its password',
    [
      'functions/account.ts',
      'const { account } = await confirm(caller, given, event)',
      "const account = await findAccount(database, caller.username)\n      if (account === undefined) throw new ProblemError('session_ended')",
    ],
    ['test/accounts/account.test.ts', 'needs the password'],
  ),
]
