import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { judgeService } from '../../infra/doctor/judge-service.ts'
import { functionNamed } from '../../infra/manifest.ts'
import { openDeployment } from '../../infra/release/deployment.ts'
import { startNode } from '../processes.ts'
import { buildBundles, startBundle } from './bundled.ts'
import { type Call, startStandIn } from './google-stand-in.ts'

const installed = spawnSync('gcloud', ['--version'], { stdio: 'ignore' }).status === 0
if (!installed) process.stdout.write('skipped: gcloud not found; no release against a stand-in\n')

const OLD = 'welcome-00001-old'
const SERVING = {
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'welcome', namespace: '123456789012', annotations: {}, labels: {} },
  spec: {
    template: {
      metadata: { name: OLD, annotations: {}, labels: {} },
      spec: { containers: [{ image: 'old', resources: { limits: {} } }] },
    },
    traffic: [{ revisionName: OLD, percent: 100 }],
  },
}

function specOf(name: string) {
  const spec = functionNamed(name)
  if (spec === undefined) throw new TypeError(name)
  return spec
}

/** Traffic of each change of the service, in order. */
function trafficChanges(calls: readonly Call[]): readonly unknown[] {
  return calls
    .filter(({ method, path }) => method === 'PUT' && path.endsWith('/services/welcome'))
    .map(({ body }) => Reflect.get(Reflect.get(Object(body), 'spec'), 'traffic'))
}

async function releaseOf(existing: readonly (typeof SERVING)[]) {
  const bundles = await buildBundles([specOf('welcome')])
  const served = await startBundle('welcome', bundles.folder, { GOOGLE_CLOUD_PROJECT: 'demo' })
  const standIn = await startStandIn(served.url, existing)
  const home = await mkdtemp(join(tmpdir(), 'wowmedia-release-'))
  const command = async (...args: readonly string[]) => {
    const place = ['--project=demo-project', '--region=europe-west1', '--only=welcome']
    const environment = { ...standIn.environment, HOME: home, CLOUDSDK_CONFIG: home }
    const child = startNode([resolve('infra/run.js'), ...args, ...place], environment, home)
    return { code: await child.ended, printed: child.output() }
  }
  const copied = spawnSync('cp', ['-r', bundles.folder, join(home, 'dist')])
  if (copied.status !== 0) throw new Error('no dist')
  return {
    command,
    standIn,
    home,
    close: async () => {
      await served.process.stop()
      await standIn.close()
      await bundles.remove()
      await rm(home, { recursive: true, force: true })
    },
  }
}

describe.skipIf(!installed)('with gcloud against a stand-in of Google Cloud', () => {
  test('a release goes up beside what serves, is tested, then serves, and can be undone', {
    timeout: 400_000,
  }, async () => {
    const { command, standIn, home, close } = await releaseOf([SERVING])

    const deployed = await command('deploy', '--built', '--no-hosting', '--no-promote')
    const again = await command('deploy', '--built', '--no-hosting')
    const undone = await command('rollback')
    const state = JSON.parse(
      await readFile(join(home, '.wowmedia/releases/demo-project.europe-west1.json'), 'utf8'),
    )
    const calls = [...standIn.calls]
    const service = standIn.services.get('welcome')
    await close()

    const newest = state.functions.welcome.candidate
    expect(deployed, deployed.printed).toMatchObject({ code: 0 })
    expect(deployed.printed).toContain('1 functions answer as themselves')
    expect(again, again.printed).toMatchObject({ code: 0 })
    expect(again.printed).toContain('there    welcome')
    expect(undone, undone.printed).toMatchObject({ code: 0 })
    expect(trafficChanges(calls)).toEqual([
      [
        { revisionName: OLD, percent: 100 },
        { revisionName: newest, tag: 'candidate' },
      ],
      expect.arrayContaining([expect.objectContaining({ revisionName: newest, percent: 100 })]),
      [expect.objectContaining({ revisionName: newest, percent: 100 })],
      [expect.objectContaining({ revisionName: OLD, percent: 100 })],
    ])
    expect(calls.filter(({ path }) => path.endsWith('builds:submit'))).toMatchObject([
      { body: { buildpackBuild: { baseImage: 'nodejs24', functionTarget: 'welcome' } } },
    ])
    const place = { project: 'demo-project', region: 'europe-west1', settingsFile: undefined }
    const deployment = openDeployment(place, '123456789012', 'abc')
    expect(judgeService(specOf('welcome'), deployment, service)).toEqual([
      { what: 'function welcome' },
    ])
  })
})
