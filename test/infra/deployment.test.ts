import { expect, test } from 'vitest'
import { auditVerdict } from '../../infra/audit-verdict.ts'
import { parseCommandLine } from '../../infra/command-line.ts'
import { FUNCTIONS } from '../../infra/manifest.ts'
import { commandLine, gcloud, listOf } from '../../infra/release/command.ts'
import { environmentOf, openDeployment, parseSettingsFile } from '../../infra/release/deployment.ts'
import { reasonOf } from '../../infra/release/run-command.ts'
import { parseService } from '../../infra/release/service-status.ts'
import { yamlText } from '../../infra/release/yaml.ts'

const PLACE = { project: 'demo-project', region: 'europe-west1', settingsFile: undefined }
const DEPLOYMENT = openDeployment(PLACE, '123', 'abc')

function specOf(name: string) {
  const spec = FUNCTIONS.find((one) => one.name === name)
  if (spec === undefined) throw new TypeError(name)
  return spec
}

test('a function gets its own settings and the places of its own secrets, and nothing else', () => {
  expect(environmentOf(specOf('jwks'), DEPLOYMENT)).toEqual({
    NODE_ENV: 'production',
    GOOGLE_CLOUD_PROJECT: 'demo-project',
    TRUSTED_PROXY_HOPS: '1',
    JWKS_FILE: '/secrets/jwks/jwks.json',
  })
  expect(Object.keys(environmentOf(specOf('photos'), DEPLOYMENT))).not.toContain('SIGNING_KEY_FILE')
})

test('welcome knows the address of every public function before there is one', () => {
  const { FUNCTION_URLS: urls = '' } = environmentOf(specOf('welcome'), DEPLOYMENT)

  expect(urls.split(',')).toHaveLength(13)
  expect(urls).toContain('login=https://login-123.europe-west1.run.app')
  expect(urls).not.toContain('sweep')
})

test.for([
  { text: 'UPLOAD_LIMT=5/minute', line: 'deploy.env, line 1: this is no setting of Wowmedia' },
  { text: '# ok\n\nJWKS_FILE=x', line: 'deploy.env, line 3: JWKS_FILE is set by the deployment' },
  { text: 'no equals sign', line: 'deploy.env, line 1: this is no setting of Wowmedia' },
])('the settings file is refused in one line: $line', ({ text, line }) => {
  expect(() => parseSettingsFile(text, 'deploy.env')).toThrow(line)
})

test('the settings file gives names and values as they stand', () => {
  const settings = parseSettingsFile('UPLOAD_LIMIT=5/minute;100/hour\r\n#x\r\nCORS_ORIGINS=', 'f')

  expect(settings).toEqual({ UPLOAD_LIMIT: '5/minute;100/hour', CORS_ORIGINS: '' })
})

test.for([
  { place: { ...PLACE, project: 'X' }, line: '--project=ID is needed' },
  { place: { ...PLACE, region: 'nowhere' }, line: '--region is needed, one of' },
  { place: { ...PLACE, settingsFile: 'missing.env' }, line: 'missing.env does not exist' },
])('a deployment that cannot be is refused: $line', ({ place, line }) => {
  expect(() => openDeployment(place, '1', 'abc')).toThrow(line)
})

test('a value that gcloud would cut or split ends the tool', () => {
  expect(listOf({ A: '1,2', B: 'x=y' })).toBe('^@^A=1,2@B=x=y')
  expect(() => listOf({ A: 'a@b' })).toThrow('A must not hold')
  expect(() => listOf({ A: 'a#b' })).toThrow('A must not hold')
})

test('a printed command is one that a shell reads as it was meant', () => {
  const command = gcloud(['a', "it's"], { text: 'two words', on: true, off: undefined, n: 3 })

  expect(commandLine(command)).toBe(`gcloud a 'it'\\''s' --text='two words' --on --n=3`)
})

test('the reason of a failure is one line', () => {
  const ran = (stderr: string) => ({ code: 1, stdout: '', stderr })

  expect(reasonOf(ran('ERROR: (gcloud.run) PERMISSION_DENIED: no\nmore'))).toBe(
    'PERMISSION_DENIED: no',
  )
  expect(reasonOf(ran('Please run: gcloud auth login'))).toBe('not signed in: gcloud auth login')
  expect(reasonOf(ran(''))).toBe('ended with 1')
})

test('a service says who serves and where its candidate is', () => {
  const status = parseService(
    JSON.stringify({
      status: {
        url: 'https://a.run.app',
        latestCreatedRevisionName: 'a-2',
        traffic: [
          { revisionName: 'a-1', percent: 100 },
          { revisionName: 'a-2', tag: 'candidate', url: 'https://candidate---a.run.app' },
        ],
      },
    }),
  )

  expect(status).toEqual({
    url: 'https://a.run.app',
    serving: 'a-1',
    newest: 'a-2',
    candidate: { revision: 'a-2', url: 'https://candidate---a.run.app' },
  })
  expect(() => parseService('{}')).toThrow('without an address')
})

test('YAML quotes what would be read as something else', () => {
  const text = yamlText('x', {
    a: ['-', 'true', 'plain words', '1.0', ''],
    b: { on: 'yes' },
    c: [],
    d: undefined,
  })

  expect(text).toBe(
    '# x\na:\n  - "-"\n  - "true"\n  - plain words\n  - "1.0"\n  - ""\nb:\n  on: "yes"\nc: []\n',
  )
})

test('an argument that is not known is one line and exit code 1', () => {
  const accepted = { values: ['only'], flags: ['dry-run'], help: 'help' } as const

  expect(parseCommandLine(['--dry-rum'], accepted).done).toBe(1)
  expect(parseCommandLine(['--only=nobody'], accepted).done).toBe(1)
  expect(parseCommandLine(['--only'], accepted).done).toBe(1)
  expect(parseCommandLine(['--help'], accepted).done).toBe(0)
  const { done, only, flags } = parseCommandLine(['--only', 'login,jwks', '--dry-run'], accepted)
  expect(done).toBeUndefined()
  expect(only.map(({ name }) => name)).toEqual(['jwks', 'login'])
  expect([...flags]).toEqual(['dry-run'])
})

const TODAY = new Date('2026-11-24T00:00:00Z')
const HIGH = JSON.stringify({
  vulnerabilities: { qs: { severity: 'high' }, ms: { severity: 'low' } },
})

test('an accepted weakness is accepted until its day, not longer', () => {
  const until = (day: string) => [{ package: 'qs', reason: 'no query is parsed', until: day }]

  expect(auditVerdict(HIGH, '', until('2026-11-24'), TODAY).good).toBe(true)
  expect(auditVerdict(HIGH, '', until('2026-11-23'), TODAY).good).toBe(false)
})

test('an audit that ends without a report is no success', () => {
  expect(auditVerdict('', 'npm error network', [], TODAY).good).toBe(false)
  expect(auditVerdict('not json', '', [], TODAY).good).toBe(false)
})
