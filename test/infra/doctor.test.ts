import { expect, test } from 'vitest'
import { judgeService } from '../../infra/doctor/judge-service.ts'
import {
  judgeApis,
  judgeBackups,
  judgeBucket,
  judgeDatabase,
  judgeExpiry,
  judgeIndexes,
  judgeProxies,
  judgeSecret,
} from '../../infra/doctor/judge-stores.ts'
import { TIME_TO_LIVE } from '../../infra/local/time-to-live.ts'
import { functionNamed } from '../../infra/manifest.ts'
import { readIndexes } from '../../infra/provision/indexes.ts'
import { environmentOf, openDeployment } from '../../infra/release/deployment.ts'

const PLACE = { project: 'demo-project', region: 'europe-west1', settingsFile: undefined }
const DEPLOYMENT = openDeployment(PLACE, '123', 'abc')

const problems = (found: readonly { readonly problem?: string }[]) =>
  found.flatMap(({ problem }) => problem ?? [])

const DATABASE = {
  pointInTimeRecoveryEnablement: 'POINT_IN_TIME_RECOVERY_ENABLED',
  deleteProtectionState: 'DELETE_PROTECTION_ENABLED',
  type: 'FIRESTORE_NATIVE',
  locationId: 'europe-west1',
}

test('a protected database is well, one without protection or elsewhere is not', () => {
  const bare = {
    ...DATABASE,
    deleteProtectionState: 'DELETE_PROTECTION_DISABLED',
    locationId: 'eur3',
  }

  expect(problems(judgeDatabase(DEPLOYMENT, DATABASE))).toEqual([])
  expect(problems(judgeDatabase(DEPLOYMENT, bare))).toEqual([
    'deleteProtectionState is DELETE_PROTECTION_DISABLED, must be DELETE_PROTECTION_ENABLED',
    'locationId is eur3, must be europe-west1',
  ])
})

test('a collection that does not expire is named', () => {
  const fields = TIME_TO_LIVE.map(({ collectionGroup, field }) => ({
    name: `projects/p/databases/wowmedia/collectionGroups/${collectionGroup}/fields/${field}`,
    ttlConfig: { state: 'ACTIVE' },
  }))
  const [first] = TIME_TO_LIVE

  expect(problems(judgeExpiry(DEPLOYMENT, fields))).toEqual([])
  expect(problems(judgeExpiry(DEPLOYMENT, fields.slice(1)))).toEqual([
    `${first.collectionGroup}.${first.field} is off`,
  ])
})

test('an index that is missing or still being built is named', async () => {
  const indexes = await readIndexes()
  const list = indexes.indexes.map(({ collectionGroup, fields }) => ({
    name: `projects/p/databases/d/collectionGroups/${collectionGroup}/indexes/x`,
    fields: [...fields, { fieldPath: '__name__', order: 'ASCENDING' }],
    state: 'READY',
  }))
  const building = list.map((index) => ({ ...index, state: 'CREATING' }))

  expect(problems(judgeIndexes(DEPLOYMENT, indexes, list))).toEqual([])
  expect(problems(judgeIndexes(DEPLOYMENT, indexes, []))).toHaveLength(list.length)
  expect(problems(judgeIndexes(DEPLOYMENT, indexes, building)).join()).toContain('not yet READY')
})

test('backups are needed daily and weekly', () => {
  expect(
    problems(judgeBackups(DEPLOYMENT, [{ dailyRecurrence: {} }, { weeklyRecurrence: {} }])),
  ).toEqual([])
  expect(problems(judgeBackups(DEPLOYMENT, [{ dailyRecurrence: {} }]))).toEqual([
    'no weekly backup',
  ])
})

test('a bucket that could be made public is not well', () => {
  const bucket = {
    uniform_bucket_level_access: true,
    public_access_prevention: 'enforced',
    lifecycle_config: { rule: [{}] },
  }

  expect(problems(judgeBucket(DEPLOYMENT, bucket))).toEqual([])
  expect(
    problems(judgeBucket(DEPLOYMENT, { ...bucket, public_access_prevention: 'inherited' })),
  ).toEqual(['it can be made public'])
})

test('a disabled version and an old signing key are named', () => {
  const now = new Date('2026-11-24T00:00:00Z')
  const fresh = { state: 'ENABLED', createTime: '2026-11-01T00:00:00Z' }
  const old = { ...fresh, createTime: '2026-01-01T00:00:00Z' }

  expect(problems(judgeSecret('wm-signing-key', fresh, now))).toEqual([])
  expect(problems(judgeSecret('wm-signing-key', old, now))).toEqual(['327 days'])
  expect(problems(judgeSecret('wm-jwks', old, now))).toEqual([])
  expect(problems(judgeSecret('wm-jwks', { ...fresh, state: 'DISABLED' }, now))).toEqual([
    'the mounted version is DISABLED',
  ])
})

test('an API that is off is named', () => {
  expect(problems(judgeApis(DEPLOYMENT, ['run', 'iam'], ['run.googleapis.com']))).toEqual([
    'iam is off',
  ])
})

test('the doctor says which way in shows the caller’s address', () => {
  const through = { ...DEPLOYMENT, settings: { ...DEPLOYMENT.settings, TRUSTED_PROXY_HOPS: '2' } }

  expect(judgeProxies(DEPLOYMENT)[0]?.what).toContain('own addresses')
  expect(problems(judgeProxies(through)).join()).toContain('forge')
})

function serviceOf(changes: { readonly memory?: string; readonly env?: object } = {}) {
  const spec = functionNamed('login')
  if (spec === undefined) throw new TypeError('no login')
  const variables = { ...environmentOf(spec, DEPLOYMENT), ...changes.env }
  const mount = (secretName: string, key: string) => ({ secret: { secretName, items: [{ key }] } })
  const service = {
    spec: {
      template: {
        metadata: { annotations: { 'autoscaling.knative.dev/maxScale': '30' } },
        spec: {
          serviceAccountName: 'fn-login@demo-project.iam.gserviceaccount.com',
          containerConcurrency: 8,
          timeoutSeconds: 30,
          containers: [
            {
              resources: { limits: { memory: changes.memory ?? '512Mi' } },
              env: Object.entries(variables).map(([name, value]) => ({ name, value })),
            },
          ],
          volumes: [
            mount('wm-signing-key', '1'),
            mount('wm-token-secret', '1'),
            mount('wm-jwks', 'latest'),
          ],
        },
      },
    },
  }
  return judgeService(spec, DEPLOYMENT, service)
}

test('a function that is as its row says is well', () => {
  expect(serviceOf()).toEqual([{ what: 'function login' }])
})

test('what was changed by hand is named, with the command that mends it', () => {
  const found = serviceOf({ memory: '1Gi', env: { TOKEN_AUDIENCE: 'other', DEBUG: '1' } })

  expect(problems(found)).toEqual([
    'memory is 1Gi, must be 512Mi',
    'variable TOKEN_AUDIENCE is another or missing',
    'variable DEBUG is not in the manifest',
  ])
  expect(found[0]?.mend).toBe(
    'npm run deploy -- --project=demo-project --region=europe-west1 --only=login',
  )
})
