import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { TIME_TO_LIVE } from '../../infra/local/time-to-live.ts'
import { withAuditLogs } from '../../infra/provision/audit-logs.ts'
import { readIndexes } from '../../infra/provision/indexes.ts'
import { makeInputs } from '../../infra/provision/make-inputs.ts'
import { channelStages, foundationStages, watchStages } from '../../infra/provision/plan.ts'
import { runStages, sideBySide, stageLines } from '../../infra/provision/run-stages.ts'
import { ALERTS, LOG_METRICS } from '../../infra/provision/signals.ts'
import type { Stage, Step } from '../../infra/provision/step.ts'
import { gcloud } from '../../infra/release/command.ts'
import { openDeployment } from '../../infra/release/deployment.ts'
import type { Ran, Run } from '../../infra/release/run-command.ts'
import { parsePublicKeys } from '../../shared/crypto/public-keys.ts'
import { parseSigningKey } from '../../shared/crypto/signing-keys.ts'
import { parseTokenSecrets } from '../../shared/crypto/token-secrets.ts'

const GOOD: Ran = { code: 0, stdout: '', stderr: '' }

function step(id: string, part: Partial<Step> = {}): Step {
  return { id, run: gcloud([id]), ...part }
}

/** Runs the steps with answers by the command's first word; the order of the calls. */
async function ran(
  steps: readonly Step[],
  answers: Readonly<Record<string, readonly Ran[]>> = {},
  finished: readonly string[] = [],
) {
  const calls: string[] = []
  const done: string[] = []
  const run: Run = async ({ args: [word = ''] }, input) => {
    calls.push(input === undefined ? word : `${word} < ${input}`)
    const left = answers[word] ?? []
    return left[calls.filter((call) => call.startsWith(word)).length - 1] ?? left.at(-1) ?? GOOD
  }
  const stages: readonly Stage[] = [{ title: 'stage', steps }]
  const error = await runStages(stages, {
    run,
    finished: new Set(finished),
    onDone: async (id) => void done.push(id),
    inputOf: (input) => `content of ${input}`,
    print: () => undefined,
    width: 4,
    waitMs: 1,
  }).catch((caught: unknown) => caught)
  return { calls, done, error }
}

const FAILED = (stderr: string): Ran => ({ code: 1, stdout: '', stderr })

test('what is there already is not made again', async () => {
  const unless = { command: gcloud(['look']), means: 'succeeds' } as const

  const { calls, done } = await ran([step('make', { unless })])

  expect(calls).toEqual(['look'])
  expect(done).toEqual([])
})

test('a list that names nothing means that the thing is missing', async () => {
  const unless = { command: gcloud(['list']), means: 'prints' } as const

  const { calls, done } = await ran([step('make', { unless })])

  expect(calls).toEqual(['list', 'make'])
  expect(done).toEqual(['make'])
})

test('an interrupted run goes on with what it had not finished', async () => {
  const { calls } = await ran([step('first'), step('second')], {}, ['first'])

  expect(calls).toEqual(['second'])
})

test('an account that is not known everywhere yet is tried again', async () => {
  const answers = { bind: [FAILED('Service account x does not exist.'), FAILED('etag'), GOOD] }

  const { calls, error } = await ran([step('bind')], answers)

  expect(calls).toEqual(['bind', 'bind', 'bind'])
  expect(error).toBeUndefined()
})

test('a refusal is not repeated, and says command and reason in two lines', async () => {
  const answers = { bind: [FAILED('ERROR: (gcloud.x) PERMISSION_DENIED: no right')] }

  const { calls, error } = await ran([step('bind'), step('other')], answers)

  expect(calls).toEqual(['bind', 'other'])
  expect(String(error)).toBe('Error: bind: PERMISSION_DENIED: no right\n  gcloud bind')
})

test('an index that exists is as good as one that was made', async () => {
  const answers = { index: [FAILED('ALREADY_EXISTS')] }

  const { error, done } = await ran([step('index', { accept: /ALREADY_EXISTS/ })], answers)

  expect(error).toBeUndefined()
  expect(done).toEqual(['index'])
})

test('keys go in on standard input and into no command', async () => {
  const { calls } = await ran([step('add', { input: 'signing-key' })])

  expect(calls).toEqual(['add < content of signing-key'])
})

test('changes of one policy never overlap, others run beside each other', async () => {
  const order: string[] = []
  const work = async (name: string) => {
    order.push(`${name} begins`)
    await new Promise((resolve) => setImmediate(resolve))
    order.push(`${name} ends`)
  }
  const run: Run = async ({ args: [word = ''] }) => {
    await work(word)
    return GOOD
  }
  const steps = [step('a', { lock: 'x' }), step('b', { lock: 'x' }), step('c')]

  await runStages([{ title: '', steps }], {
    run,
    finished: new Set(),
    onDone: async () => undefined,
    inputOf: () => '',
    print: () => undefined,
    width: 4,
    waitMs: 1,
  })

  expect(order.indexOf('a ends')).toBeLessThan(order.indexOf('b begins'))
  expect(order.indexOf('c begins')).toBeLessThan(order.indexOf('a ends'))
})

test('no more than the given number of works run at once', async () => {
  let now = 0
  let most = 0

  await sideBySide([1, 2, 3, 4, 5, 6], 2, async () => {
    now += 1
    most = Math.max(most, now)
    await new Promise((resolve) => setImmediate(resolve))
    now -= 1
  })

  expect(most).toBe(2)
})

test('the first keys fit together and are what the functions read', () => {
  const inputOf = makeInputs()

  const { kid } = parseSigningKey(inputOf('signing-key'))
  const { jwks } = parsePublicKeys(inputOf('jwks'))

  expect(jwks.map((jwk) => jwk.kid)).toEqual([kid])
  expect(parseTokenSecrets(inputOf('token-secret'))).toHaveLength(1)
  expect(makeInputs()('token-secret')).not.toBe(inputOf('token-secret'))
})

async function allStages() {
  const place = { project: 'demo-project', region: 'europe-west1', settingsFile: undefined }
  const deployment = openDeployment(place, '123456789012', 'abc')
  const options = {
    indexes: await readIndexes(),
    corsFile: 'cors.json',
    email: 'ops@example.com',
    billingAccount: '000000-000000-000000',
    budget: '50EUR',
    repository: 'acme/wowmedia',
  }
  return [
    ...foundationStages(deployment, options),
    ...channelStages(deployment, options),
    ...watchStages(deployment, options, 'projects/p/notificationChannels/1'),
  ]
}

test('provisioning closes the bucket, protects the database and keeps backups', async () => {
  const text = stageLines(await allStages()).join('\n')

  expect(text).toContain('--enable-pitr --delete-protection')
  expect(text).toContain('--uniform-bucket-level-access --public-access-prevention')
  expect(text).toContain('--recurrence=daily --retention=7d')
  expect(text).toContain('--recurrence=weekly --day-of-week=SUN --retention=14w')
  expect(text).toContain("--schedule='*/15 * * * *'")
})

test('every collection that expires has its policy, and its field no index', async () => {
  const text = stageLines(await allStages()).join('\n')
  const { fieldOverrides } = await readIndexes()

  for (const { collectionGroup, field } of TIME_TO_LIVE) {
    expect(text).toContain(
      `ttls update ${field} --project=demo-project --database=wowmedia --collection-group=${collectionGroup} --enable-ttl`,
    )
    expect(fieldOverrides).toContainEqual(
      expect.objectContaining({ collectionGroup, fieldPath: field, indexes: [] }),
    )
  }
})

test('a printed command holds no key', async () => {
  const text = stageLines(await allStages()).join('\n')

  expect(text).toContain(
    'gcloud secrets versions add wm-signing-key --project=demo-project --data-file=-',
  )
  expect(text).not.toMatch(/"d":|[A-Za-z0-9_-]{43}\b(?!\/)/)
})

test('every event that an alert looks for is logged somewhere', async () => {
  const wanted = LOG_METRICS.flatMap(({ filter }) => /event="(\w+)"/.exec(filter)?.[1] ?? [])
  const counted = new Set(LOG_METRICS.map(({ name }) => `user_${name}{`))
  const used = ALERTS.flatMap(({ query }) => query.match(/user_\w+\{/g) ?? [])

  expect(wanted).toContain('refresh_reuse')
  expect(used.filter((name) => !counted.has(name))).toEqual([])
})

test('there are alerts on reuse, 5xx over 1 %, the store, limits, the sweep and the clock', () => {
  const query = (name: string) => ALERTS.find((alert) => alert.name === name)?.query ?? ''

  expect(query('refresh-reuse')).toContain('wm_refresh_reuse')
  expect(query('errors')).toContain('> 0.01')
  expect(query('store')).toContain('wm_unavailable')
  expect(query('sweep')).toContain('absent_over_time')
  expect(query('clock')).toContain('wm_clock_skew')
  expect(LOG_METRICS.find(({ name }) => name === 'wm_throttled')?.filter).toContain('rate_limited')
})

test('logs of data access are switched on, and what else the policy says stays', () => {
  const policy = {
    etag: 'x',
    bindings: [{ role: 'r', members: ['m'] }],
    auditConfigs: [{ service: 'run.googleapis.com', auditLogConfigs: [] }],
  }

  const changed = withAuditLogs(policy)

  expect(changed).toMatchObject({ etag: 'x', bindings: policy.bindings })
  expect(JSON.stringify(changed)).toContain('run.googleapis.com')
  expect(JSON.stringify(changed)).toContain(
    '"service":"datastore.googleapis.com","auditLogConfigs":[{"logType":"ADMIN_READ"},{"logType":"DATA_READ"},{"logType":"DATA_WRITE"}]',
  )
  expect(withAuditLogs(changed ?? {})).toBeUndefined()
})

test('the lifecycle spares photos and clears what direct uploads left', async () => {
  const lifecycle = JSON.parse(await readFile('infra/generated/bucket-lifecycle.json', 'utf8'))
  const deletes = lifecycle.rule.filter(
    (rule: { action: { type: string } }) => rule.action.type === 'Delete',
  )

  expect(deletes).toEqual([
    { action: { type: 'Delete' }, condition: { age: 2, matchesPrefix: ['tmp/'] } },
  ])
})
