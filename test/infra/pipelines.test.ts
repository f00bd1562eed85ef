import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { monitoringFiles } from '../../infra/provision/monitoring-files.ts'
import { storageFiles } from '../../infra/provision/storage-files.ts'
import { cloudBuild, deployWorkflow, testWorkflow } from '../../infra/release/pipelines.ts'

test('what is committed is what the code makes', async () => {
  const made = new Map([
    ...monitoringFiles(),
    ...storageFiles(),
    ['.github/workflows/test.yml', testWorkflow()],
    ['.github/workflows/deploy.yml', deployWorkflow()],
  ])

  expect(made.size).toBeGreaterThan(20)
  for (const [path, text] of made) {
    const committed = await readFile(path, 'utf8')
    expect(committed.replaceAll('\r\n', '\n'), path).toBe(text)
  }
})

test('Cloud Build is given every value that its steps use', () => {
  const text = cloudBuild('europe-west1')

  const used = new Set(text.match(/\$_?[A-Z][A-Z_]*/g))

  expect([...used].toSorted()).toEqual(['$PROJECT_ID', '$_REGION'])
  expect(text).toContain('substitutions:\n  _REGION: europe-west1')
})

test('Cloud Build promotes last, after checks, tests, audit, candidates and their smoke test', () => {
  const text = cloudBuild('europe-west1')
  const ids = [...text.matchAll(/- id: (\w+)/g)].map(([, id]) => id)

  expect(ids).toEqual([
    'install',
    'check',
    'test',
    'audit',
    'bundle',
    'candidate',
    'hosting',
    'promote',
  ])
  expect(text).toMatch(
    /id: candidate[\s\S]*waitFor:\n {6}- check\n {6}- test\n {6}- audit\n {6}- bundle\n/,
  )
  expect(text).toContain('logging: CLOUD_LOGGING_ONLY')
  expect(text).toContain('serviceAccounts/wm-deploy@')
})

test('the tests run on three systems, with install scripts off everywhere', () => {
  const text = testWorkflow()

  expect(text).toMatch(/- ubuntu-latest\n\s+- macos-latest\n\s+- windows-latest/)
  expect(text.match(/npm ci/g)).toEqual(text.match(/npm ci --ignore-scripts/g)?.map(() => 'npm ci'))
  expect(text).toContain('run: npm test')
  expect(text).toContain('infra/run.js audit')
})

test('a release from GitHub holds no key: its identity is exchanged, and a person promotes', () => {
  const text = deployWorkflow()

  expect(text).not.toMatch(/secrets\.|credentials_json/)
  expect(text).toContain('id-token: write')
  expect(text).toMatch(/promote:\n {4}needs: candidate\n {4}environment: production/)
})

test('every file for Cloud Monitoring is JSON of the right kind', () => {
  const alerts = [...monitoringFiles()].filter(([path]) => path.includes('/alerts/'))

  expect(alerts.length).toBeGreaterThan(8)
  for (const [path, text] of alerts) {
    const policy = JSON.parse(text)
    const [{ conditionPrometheusQueryLanguage: condition }] = policy.conditions
    expect(policy.displayName, path).toMatch(/^Wowmedia: /)
    expect(condition.duration).toMatch(/^\d+s$/)
    expect((condition.query.match(/[({[]/g) ?? []).length).toBe(
      (condition.query.match(/[)}\]]/g) ?? []).length,
    )
  }
})
