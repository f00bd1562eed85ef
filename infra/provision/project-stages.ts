/** APIs and accounts (deploy.md 3, 4). Pure. */
import { FUNCTIONS } from '../manifest.ts'
import { gcloud } from '../release/command.ts'
import { accountOf, type Deployment } from '../release/deployment.ts'
import type { Stage, Step } from './step.ts'

export const APIS = [
  'run',
  'cloudbuild',
  'artifactregistry',
  'firestore',
  'storage',
  'secretmanager',
  'iam',
  'iamcredentials',
  'sts',
  'cloudresourcemanager',
  'logging',
  'monitoring',
  'clouderrorreporting',
  'firebase',
  'firebasehosting',
  'firebaserules',
  'billingbudgets',
  'cloudscheduler',
] as const

export function apiStage({ project }: Deployment): Stage {
  const services = APIS.map((api) => `${api}.googleapis.com`)
  const run = gcloud(['services', 'enable', ...services], { project, quiet: true })
  return { title: 'APIs', steps: [{ id: 'apis', run }] }
}

/** Accounts besides one for each function: build, release, schedule. */
export const TOOL_ACCOUNTS = ['wm-build', 'wm-deploy', 'wm-scheduler'] as const

export function accountIds(): readonly string[] {
  return [...FUNCTIONS.map(({ name }) => `fn-${name}`), ...TOOL_ACCOUNTS]
}

export function accountStage(deployment: Deployment): Stage {
  const { project } = deployment
  const steps = accountIds().map((id): Step => {
    const run = gcloud(['iam', 'service-accounts', 'create', id], {
      project,
      'display-name': `Wowmedia ${id}`,
      quiet: true,
    })
    const email = accountOf(deployment, id)
    const command = gcloud(['iam', 'service-accounts', 'describe', email], {
      project,
      format: 'none',
    })
    return { id: `account ${id}`, run, unless: { command, means: 'succeeds' }, lock: 'accounts' }
  })
  return { title: 'service accounts', steps }
}
