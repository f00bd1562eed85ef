/** Releases from GitHub Actions without a key: Workload Identity Federation (deploy.md 3.2). Pure. */
import { gcloud } from '../release/command.ts'
import { accountOf, type Deployment } from '../release/deployment.ts'
import type { Stage } from './step.ts'

const POOL = 'github'
const PROVIDER = 'wowmedia'

/** What the workflow hands to the auth action. */
export function providerName({ number }: Pick<Deployment, 'number'>): string {
  return `projects/${number}/locations/global/workloadIdentityPools/${POOL}/providers/${PROVIDER}`
}

/** @param repository `owner/name`; only its branch `main` may release */
export function identityStage(deployment: Deployment, repository: string): Stage {
  const { project, number } = deployment
  const place = { project, location: 'global' } as const
  const inPool = { ...place, 'workload-identity-pool': POOL } as const
  const pool = ['iam', 'workload-identity-pools']
  const create = gcloud([...pool, 'create', POOL], { ...place, 'display-name': 'GitHub' })
  const describe = gcloud([...pool, 'describe', POOL], { ...place, format: 'none' })
  const describeProvider = gcloud([...pool, 'providers', 'describe', PROVIDER], {
    ...inPool,
    format: 'none',
  })
  const createProvider = gcloud([...pool, 'providers', 'create-oidc', PROVIDER], {
    ...inPool,
    'issuer-uri': 'https://token.actions.githubusercontent.com',
    'attribute-mapping':
      'google.subject=assertion.sub,attribute.repository=assertion.repository,attribute.ref=assertion.ref',
    'attribute-condition': `assertion.repository=='${repository}' && assertion.ref=='refs/heads/main'`,
  })
  const email = accountOf(deployment, 'wm-deploy')
  const principal = `principalSet://iam.googleapis.com/projects/${number}/locations/global/workloadIdentityPools/${POOL}/attribute.repository/${repository}`
  const bind = gcloud(['iam', 'service-accounts', 'add-iam-policy-binding', email], {
    project,
    member: principal,
    role: 'roles/iam.workloadIdentityUser',
    format: 'none',
  })
  const lock = 'identity pool'
  return {
    title: 'GitHub Actions',
    steps: [
      { id: 'identity pool', run: create, unless: { command: describe, means: 'succeeds' }, lock },
      {
        id: 'identity provider',
        run: createProvider,
        unless: { command: describeProvider, means: 'succeeds' },
        lock,
      },
      { id: 'identity binding', run: bind, lock },
    ],
  }
}
