/** Broken rules: sessions, limits, keys, quota, names. */
import { type Mutant, mutant } from './mutant.ts'

const TOKEN_USE = 'shared/domain/token-use.ts'
const TOKEN_USE_TEST = 'test/domain/token-use.test.ts'
const SESSION = 'shared/domain/session.ts'
const WINDOW = 'shared/domain/sliding-window.ts'
const WINDOW_TEST = 'test/domain/sliding-window.test.ts'
const THROTTLE = 'shared/domain/login-throttle.ts'
const THROTTLE_TEST = 'test/domain/login-throttle.test.ts'

export const RULE_MUTANTS: readonly Mutant[] = [
  mutant(
    'a request that its app no longer waits for ends the session',
    [
      'shared/domain/token-use.ts',
      'if (!isPrevious && presentedAt < session.handedOutAt)',
      'if (session.generation < 0)',
    ],
    ['test/domain/token-simulation.test.ts', 'no longer waits for'],
  ),
  mutant(
    'a used refresh token comes again for ever',
    [TOKEN_USE, '(seen && !sameHandOut)', '(seen && false)'],
    [TOKEN_USE_TEST],
  ),
  mutant(
    'a long replaced refresh token ends nothing',
    [TOKEN_USE, 'if (!isPrevious || (seen', 'if ((seen'],
    [TOKEN_USE_TEST],
  ),
  mutant(
    'a generation above the stored one is taken',
    [TOKEN_USE, '|| generation > session.generation', ''],
    [TOKEN_USE_TEST],
  ),
  mutant(
    'an access token of a revoked session is served',
    [TOKEN_USE, "if (!isLive(session, now) || isAbove) return { kind: 'ended' }", ''],
    [TOKEN_USE_TEST],
  ),
  mutant(
    'a superseded access token is served',
    [TOKEN_USE, 'if (isReplaced || (isCurrent && token.delivery < delivery)) {', 'if (false) {'],
    [TOKEN_USE_TEST],
  ),
  mutant(
    'superseded access tokens are forgotten early',
    [TOKEN_USE, 'SUPERSEDED_MS = 16 * 60_000', 'SUPERSEDED_MS = 60_000'],
    [TOKEN_USE_TEST],
  ),
  mutant(
    'the first sight of a generation is not noted',
    [TOKEN_USE, 'if (!isCurrent || session.confirmedGeneration >= generation)', 'if (true)'],
    [TOKEN_USE_TEST],
  ),
  mutant(
    'an idle session never ends',
    [SESSION, '&& now < session.idleExpiresAt', ''],
    [TOKEN_USE_TEST],
  ),
  mutant(
    'an old session never ends',
    [SESSION, '&& now < session.expiresAt', ''],
    [TOKEN_USE_TEST],
  ),
  mutant(
    'a revoked session lives',
    [SESSION, 'session.revokedAt === undefined && ', ''],
    [TOKEN_USE_TEST],
  ),
  mutant(
    'a window lets a hit go a moment late',
    [WINDOW, 'time > nowMs)', 'time >= nowMs)'],
    [WINDOW_TEST],
  ),
  mutant(
    'a full window admits',
    [WINDOW, 'admitted: full.length === 0', 'admitted: true'],
    [WINDOW_TEST],
  ),
  mutant(
    'a repeated commit counts twice',
    [WINDOW, 'hit.mark === mark && triedAtMs.has(hit.atMs)', 'false'],
    [WINDOW_TEST],
  ),
  mutant(
    'a sixth failed login is free',
    [THROTTLE, 'FREE_FAILURES = 5', 'FREE_FAILURES = 6'],
    [THROTTLE_TEST, 'growing delay'],
  ),
  mutant(
    'the delay after failed logins does not grow',
    [THROTTLE, 'throttle.growingDelay ? delayEndsMs(bucket) - nowMs : 0', '0'],
    [THROTTLE_TEST, 'growing delay'],
  ),
  mutant(
    'parallel guesses take no place',
    [THROTTLE, 'holds: [...bucket.holds, attempt]', 'holds: bucket.holds'],
    [THROTTLE_TEST, 'attempts in flight'],
  ),
  mutant(
    'any number of networks is known',
    [THROTTLE, 'MOST_KNOWN = 8', 'MOST_KNOWN = 80'],
    [THROTTLE_TEST, 'known networks'],
  ),
  mutant(
    'a key that runs is taken from its holder',
    [
      'shared/domain/idempotency.ts',
      'now.getTime() < key.leaseUntil.getTime()',
      'now.getTime() > key.leaseUntil.getTime()',
    ],
    ['test/domain/idempotency.test.ts'],
  ),
  mutant(
    'a key is repeated without end',
    ['shared/domain/idempotency.ts', 'key.replays >= MAX_REPLAYS', 'false'],
    ['test/domain/idempotency.test.ts'],
  ),
  mutant(
    'no quota of bytes',
    ['shared/domain/quota.ts', 'if (least > left) return undefined', ''],
    ['test/domain/quota.test.ts'],
  ),
  mutant(
    'no quota of photos',
    [
      'shared/domain/quota.ts',
      'if (usage.photoCount + usage.reservedCount >= quota.count) return undefined',
      '',
    ],
    ['test/domain/quota.test.ts'],
  ),
  mutant(
    'what runs is not held of the quota',
    ['shared/domain/quota.ts', ' - usage.reservedBytes', ''],
    ['test/domain/quota.test.ts'],
  ),
  mutant(
    'a page token in another spelling is read',
    [
      'shared/domain/page.ts',
      'printPageToken(position) === token ? position : undefined',
      'position',
    ],
    ['test/domain/page.test.ts'],
  ),
  mutant(
    'a page token of any time is read',
    ['shared/domain/page.ts', ' || Number(at) > LAST_MS', ''],
    ['test/domain/page.test.ts'],
  ),
  mutant(
    'a shown name has control and direction characters',
    ['shared/domain/photo.ts', ".replace(UNSHOWABLE, '')", ''],
    ['test/domain/photo.test.ts'],
  ),
  mutant(
    'anybody completes a direct upload',
    ['shared/domain/direct-upload.ts', ' || upload.ownerId !== callerId', ''],
    ['test/domain/direct-upload.test.ts'],
  ),
  mutant(
    'two complete one direct upload',
    [
      'shared/domain/direct-upload.ts',
      "if (upload.state === 'open' && isLeased(upload, now)) return { verdict: 'running' }",
      '',
    ],
    ['test/domain/direct-upload.test.ts'],
  ),
  mutant(
    'the sweep takes uploads that may still run',
    ['shared/domain/orphans.ts', 'PENDING_MS = 15 * MINUTE_MS', 'PENDING_MS = MINUTE_MS'],
    ['test/domain/direct-upload.test.ts'],
  ),
  mutant(
    'common passwords are taken',
    ['shared/domain/password.ts', 'if (isTooCommon(password, rules)) {', 'if (false) {'],
    ['test/domain/password.test.ts'],
  ),
  mutant(
    'a name that folds to another is taken',
    ['shared/domain/username.ts', "text.normalize('NFKC').toLowerCase()", 'text.toLowerCase()'],
    ['test/domain/password.test.ts', 'a folded name'],
  ),
]
