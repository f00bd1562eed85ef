/** Commands of a release: candidate, traffic, rollback (deploy.md 1.2, 5). Pure. */
import { type FunctionSpec, SECRETS } from '../manifest.ts'
import { type Command, gcloud, listOf } from './command.ts'
import { accountOf, type Deployment, environmentOf } from './deployment.ts'

export const TAG = 'candidate'

const PROBE = 'tcpSocket.port=8080,periodSeconds=1,timeoutSeconds=1,failureThreshold=60'

function place({ project, region }: Deployment) {
  return { project, region, quiet: true } as const
}

function mountsOf(spec: FunctionSpec): string | undefined {
  const mounts = spec.secrets.map((name) => {
    const { path, secret, version } = SECRETS[name]
    return `${path}=${secret}:${version}`
  })
  return mounts.length === 0 ? undefined : mounts.join(',')
}

/**
 * Builds and deploys one function from `dist/NAME`. Every flag is stated, since an omitted one keeps the last
 * revision's value. A service that is new cannot be deployed without traffic.
 */
export function deployCommand(
  spec: FunctionSpec,
  deployment: Deployment,
  options: { readonly first: boolean },
): Command {
  const { name } = spec
  const mounts = mountsOf(spec)
  return gcloud(['run', 'deploy', name], {
    ...place(deployment),
    format: 'json',
    source: `dist/${name}`,
    function: name,
    'base-image': 'nodejs24',
    'automatic-updates': true,
    'build-service-account': `projects/${deployment.project}/serviceAccounts/${accountOf(deployment, 'wm-build')}`,
    'service-account': accountOf(deployment, `fn-${name}`),
    memory: `${spec.memoryMib}Mi`,
    cpu: 1,
    concurrency: spec.concurrency,
    'min-instances': 0,
    'max-instances': spec.maxInstances,
    timeout: `${spec.timeoutSeconds}s`,
    ingress: 'all',
    'cpu-boost': true,
    'cpu-throttling': true,
    'startup-probe': PROBE,
    'set-env-vars': listOf(environmentOf(spec, deployment)),
    'set-build-env-vars': `GOOGLE_CONTAINER_MEMORY_HINT_MB=${spec.memoryMib}`,
    ...(mounts === undefined ? { 'clear-secrets': true } : { 'set-secrets': mounts }),
    labels: `app=wowmedia,function=${name},commit=${deployment.commit}`,
    tag: TAG,
    'no-traffic': options.first ? undefined : true,
  })
}

export function describeCommand(name: string, deployment: Deployment): Command {
  return gcloud(['run', 'services', 'describe', name], { ...place(deployment), format: 'json' })
}

/** Keeps instances warm by the service, not by the revision, so that an idle candidate costs nothing. */
export function warmCommand(spec: FunctionSpec, deployment: Deployment): Command {
  return gcloud(['run', 'services', 'update', spec.name], {
    ...place(deployment),
    min: spec.minInstances,
  })
}

/** Who may call: anyone, or the scheduler alone. Bound once, so that releases need no right to do so. */
export function invokerCommand(spec: FunctionSpec, deployment: Deployment): Command {
  const scheduler = `serviceAccount:${accountOf(deployment, 'wm-scheduler')}`
  return gcloud(['run', 'services', 'add-iam-policy-binding', spec.name], {
    ...place(deployment),
    member: spec.public ? 'allUsers' : scheduler,
    role: 'roles/run.invoker',
    format: 'none',
  })
}

function traffic(name: string, deployment: Deployment, flag: Readonly<Record<string, string>>) {
  return gcloud(['run', 'services', 'update-traffic', name], {
    ...place(deployment),
    ...flag,
    format: 'none',
  })
}

/** @param percent of the calls that go to the candidate, 1 to 100 */
export function promoteCommand(name: string, deployment: Deployment, percent = 100): Command {
  return traffic(name, deployment, { 'to-tags': `${TAG}=${percent}` })
}

/** Back to a revision by its name: no build, seconds. */
export function rollbackCommand(name: string, deployment: Deployment, revision: string): Command {
  return traffic(name, deployment, { 'to-revisions': `${revision}=100` })
}

export function dropTagCommand(name: string, deployment: Deployment): Command {
  return traffic(name, deployment, { 'remove-tags': TAG })
}

const FIREBASE = 'firebase-tools@15.34.2'

/**
 * Deny-all rules of Firestore, and Hosting's rewrites, which must find their services: so after the functions.
 * gcloud has no command for either.
 */
export function firebaseCommand({ project }: Deployment): Command {
  const only = 'firestore:rules,hosting'
  return {
    program: 'npx',
    args: [
      '--yes',
      FIREBASE,
      'deploy',
      `--project=${project}`,
      `--only=${only}`,
      '--non-interactive',
    ],
  }
}

/** Deny-all rules of the project's Firebase buckets; a project without one has nothing to close. */
export function storageRulesCommand({ project }: Deployment): Command {
  return {
    program: 'npx',
    args: [
      '--yes',
      FIREBASE,
      'deploy',
      `--project=${project}`,
      '--only=storage',
      '--non-interactive',
    ],
  }
}
