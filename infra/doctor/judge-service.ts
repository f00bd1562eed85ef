/** Compares a deployed service with its row of the manifest. Pure. */
import { type FunctionSpec, SECRETS } from '../manifest.ts'
import { accountOf, type Deployment, environmentOf } from '../release/deployment.ts'
import { at, type Finding, findings, listAt } from './finding.ts'

/** Where Cloud Run keeps what the deploy command states: [what, found, wanted]. */
type Compared = readonly [string, unknown, unknown]

function sizes(spec: FunctionSpec, template: unknown): readonly Compared[] {
  const [container] = listAt(template, 'spec', 'containers')
  return [
    ['memory', at(container, 'resources', 'limits', 'memory'), `${spec.memoryMib}Mi`],
    ['concurrency', at(template, 'spec', 'containerConcurrency'), spec.concurrency],
    ['timeout', at(template, 'spec', 'timeoutSeconds'), spec.timeoutSeconds],
    [
      'largest number of instances',
      at(template, 'metadata', 'annotations', 'autoscaling.knative.dev/maxScale'),
      String(spec.maxInstances),
    ],
  ]
}

function variables(spec: FunctionSpec, deployment: Deployment, template: unknown) {
  const [container] = listAt(template, 'spec', 'containers')
  const set = new Map(listAt(container, 'env').map(({ name, value }) => [name, value]))
  const wanted = environmentOf(spec, deployment)
  const wrong = Object.entries(wanted)
    .filter(([name, value]) => set.get(name) !== value)
    .map(([name]) => `variable ${name} is another or missing`)
  const extra = [...set.keys()]
    .filter((name) => typeof name === 'string' && !Object.hasOwn(wanted, name))
    .map((name) => `variable ${name} is not in the manifest`)
  return [...wrong, ...extra]
}

function mounts(spec: FunctionSpec, template: unknown): readonly string[] {
  const mounted = listAt(template, 'spec', 'volumes').flatMap((volume) => {
    const secret = at(volume, 'secret', 'secretName')
    const [item] = listAt(volume, 'secret', 'items')
    return [`${secret}:${item?.['key']}`]
  })
  const wanted = spec.secrets.map((name) => `${SECRETS[name].secret}:${SECRETS[name].version}`)
  return [
    ...wanted.filter((mount) => !mounted.includes(mount)).map((mount) => `${mount} is not mounted`),
    ...mounted.filter((mount) => !wanted.includes(mount)).map((mount) => `${mount} is mounted`),
  ]
}

/** @param service `gcloud run services describe --format=json`, parsed */
export function judgeService(
  spec: FunctionSpec,
  deployment: Deployment,
  service: unknown,
): readonly Finding[] {
  const template = at(service, 'spec', 'template')
  const account = accountOf(deployment, `fn-${spec.name}`)
  const compared: readonly Compared[] = [
    ['account', at(template, 'spec', 'serviceAccountName'), account],
    ...sizes(spec, template),
  ]
  const differing = compared
    .filter(([, found, wanted]) => found !== wanted)
    .map(([what, found, wanted]) => `${what} is ${String(found)}, must be ${String(wanted)}`)
  const problems = [
    ...differing,
    ...variables(spec, deployment, template),
    ...mounts(spec, template),
  ]
  const { project, region } = deployment
  const mend = `npm run deploy -- --project=${project} --region=${region} --only=${spec.name}`
  return findings(`function ${spec.name}`, problems, mend)
}
