/** Database, bucket and secrets as provisioning leaves them. Pure. */
import { TIME_TO_LIVE } from '../local/time-to-live.ts'
import type { Index, Indexes } from '../provision/indexes.ts'
import type { Deployment } from '../release/deployment.ts'
import { at, type Fields, type Finding, findings, isRecord, listAt } from './finding.ts'

function provisionAgain({ project, region }: Deployment): string {
  return `npm run provision -- --project=${project} --region=${region}`
}

export function judgeDatabase(deployment: Deployment, database: unknown): readonly Finding[] {
  const wanted = [
    ['pointInTimeRecoveryEnablement', 'POINT_IN_TIME_RECOVERY_ENABLED'],
    ['deleteProtectionState', 'DELETE_PROTECTION_ENABLED'],
    ['type', 'FIRESTORE_NATIVE'],
    ['locationId', deployment.region],
  ] as const
  const problems = wanted
    .filter(([name, value]) => at(database, name) !== value)
    .map(([name, value]) => `${name} is ${String(at(database, name))}, must be ${value}`)
  return findings('database', problems, provisionAgain(deployment))
}

/** @param fields `gcloud firestore fields ttls list --format=json`, parsed */
export function judgeExpiry(deployment: Deployment, fields: unknown): readonly Finding[] {
  const listed = listAt({ fields }, 'fields')
  const problems = TIME_TO_LIVE.flatMap(({ collectionGroup, field }) => {
    const path = `/collectionGroups/${collectionGroup}/fields/${field}`
    const found = listed.find((entry) => String(entry['name']).endsWith(path))
    const state = at(found, 'ttlConfig', 'state')
    return state === 'ACTIVE' || state === 'CREATING' ? [] : [`${collectionGroup}.${field} is off`]
  })
  return findings('expiry of documents', problems, provisionAgain(deployment))
}

function describes(found: Fields, wanted: Index): boolean {
  const group = `/collectionGroups/${wanted.collectionGroup}/`
  const fields = listAt(found, 'fields').filter(({ fieldPath }) => fieldPath !== '__name__')
  return (
    String(found['name']).includes(group) &&
    fields.length === wanted.fields.length &&
    wanted.fields.every(
      ({ fieldPath, order }, index) =>
        fields[index]?.['fieldPath'] === fieldPath &&
        (fields[index]?.['order'] ?? 'ASCENDING') === (order ?? 'ASCENDING'),
    )
  )
}

/** @param list `gcloud firestore indexes composite list --format=json`, parsed */
export function judgeIndexes(
  deployment: Deployment,
  { indexes }: Indexes,
  list: unknown,
): readonly Finding[] {
  const listed = listAt({ list }, 'list')
  const problems = indexes.flatMap((wanted) => {
    const names = wanted.fields.map(({ fieldPath }) => fieldPath).join(', ')
    const what = `${wanted.collectionGroup} on ${names}`
    const found = listed.find((entry) => describes(entry, wanted))
    if (found === undefined) return [`${what} is missing`]
    return found['state'] === 'READY' ? [] : [`${what} is ${String(found['state'])}, not yet READY`]
  })
  return findings('indexes', problems, provisionAgain(deployment))
}

export function judgeBackups(deployment: Deployment, schedules: unknown): readonly Finding[] {
  const listed = listAt({ schedules }, 'schedules')
  const has = (kind: string) => listed.some((schedule) => isRecord(schedule[kind]))
  const problems = [
    ...(has('dailyRecurrence') ? [] : ['no daily backup']),
    ...(has('weeklyRecurrence') ? [] : ['no weekly backup']),
  ]
  return findings('backups', problems, provisionAgain(deployment))
}

/** @param bucket `gcloud storage buckets describe --format=json`, parsed */
export function judgeBucket(deployment: Deployment, bucket: unknown): readonly Finding[] {
  const problems = [
    ...(at(bucket, 'uniform_bucket_level_access') === true ? [] : ['access is not uniform']),
    ...(at(bucket, 'public_access_prevention') === 'enforced' ? [] : ['it can be made public']),
    ...(listAt(bucket, 'lifecycle_config', 'rule').length > 0 ? [] : ['no lifecycle']),
  ]
  return findings(`bucket ${deployment.bucket}`, problems, provisionAgain(deployment))
}

const DAY_MS = 86_400_000
const OLDEST_KEY_DAYS = 90

/** @param version `gcloud secrets versions describe --format=json` of what is mounted, parsed */
export function judgeSecret(secret: string, version: unknown, now: Date): readonly Finding[] {
  const state = at(version, 'state')
  const enabled = typeof state === 'string' && state.toUpperCase() === 'ENABLED'
  const created = Date.parse(String(at(version, 'createTime')))
  const days = Math.floor((now.getTime() - created) / DAY_MS)
  const old = secret === 'wm-signing-key' && days > OLDEST_KEY_DAYS
  return [
    ...findings(
      `secret ${secret}`,
      enabled ? [] : [`the mounted version is ${String(state)}`],
      `gcloud secrets versions enable VERSION --secret=${secret}`,
    ),
    ...(old
      ? findings('age of the signing key', [`${days} days`], 'rotate it: docs/deploy.md, Keys')
      : []),
  ]
}

/** @param enabled names that `gcloud services list --enabled` printed */
export function judgeApis(
  deployment: Deployment,
  wanted: readonly string[],
  enabled: readonly string[],
): readonly Finding[] {
  const missing = wanted.filter((api) => !enabled.includes(`${api}.googleapis.com`))
  const problems = missing.map((api) => `${api} is off`)
  return findings('APIs', problems, provisionAgain(deployment))
}

/** Which way in the number of proxies fits: a function's own address has one, Hosting two. Pure. */
export function judgeProxies({ settings }: Deployment): readonly Finding[] {
  const hops = settings.TRUSTED_PROXY_HOPS ?? '1'
  const what = 'address of the caller'
  if (hops === '1') {
    return [
      { what: `${what}: right at the functions’ own addresses; callers through Hosting share one` },
    ]
  }
  if (hops === '2') {
    const problem =
      'right through Hosting; at the functions’ own addresses callers can forge theirs'
    return [{ what, problem, mend: 'close the own addresses, or set TRUSTED_PROXY_HOPS=1' }]
  }
  return [{ what, problem: `TRUSTED_PROXY_HOPS is ${hops}`, mend: 'set 1 or 2 in deploy.env' }]
}
