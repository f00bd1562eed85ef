/** Who may do what (deploy.md 3): every binding from the manifest, and nothing more. Pure. */
import { type BucketAccess, FUNCTIONS, SECRETS } from '../manifest.ts'
import { type Command, gcloud } from '../release/command.ts'
import { accountOf, type Deployment } from '../release/deployment.ts'
import type { Stage, Step } from './step.ts'

/** Lists and deletes objects, and neither reads nor writes them; no predefined role does only that. */
export const REMOVER = 'wmObjectRemover'
const REMOVER_PERMISSIONS = 'storage.objects.list,storage.objects.delete'

export type Resource =
  | { readonly kind: 'project' }
  | { readonly kind: 'database' }
  | { readonly kind: 'bucket' }
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'account'; readonly account: string }

export type Grant = {
  /** Id of the service account that is granted to, without the project. */
  readonly account: string
  readonly role: string
  readonly on: Resource
}

const BUCKET_ROLES: Readonly<Record<BucketAccess, string>> = {
  create: 'roles/storage.objectCreator',
  read: 'roles/storage.objectViewer',
  remove: REMOVER,
}

function functionGrants(): readonly Grant[] {
  return FUNCTIONS.flatMap((spec) => {
    const account = `fn-${spec.name}`
    const database: readonly Grant[] = spec.firestore
      ? [{ account, role: 'roles/datastore.user', on: { kind: 'database' } }]
      : []
    const signing: readonly Grant[] = spec.signsUrls
      ? [
          {
            account,
            role: 'roles/iam.serviceAccountTokenCreator',
            on: { kind: 'account', account },
          },
        ]
      : []
    const bucket = spec.bucket.map(
      (access): Grant => ({ account, role: BUCKET_ROLES[access], on: { kind: 'bucket' } }),
    )
    const secrets = spec.secrets.map(
      (name): Grant => ({
        account,
        role: 'roles/secretmanager.secretAccessor',
        on: { kind: 'secret', secret: SECRETS[name].secret },
      }),
    )
    return [...database, ...bucket, ...secrets, ...signing]
  })
}

function toolGrants(): readonly Grant[] {
  const onProject = (account: string, ...roles: readonly string[]) =>
    roles.map((role): Grant => ({ account, role, on: { kind: 'project' } }))
  const deployer = [...FUNCTIONS.map(({ name }) => `fn-${name}`), 'wm-build']
  return [
    ...onProject('wm-build', 'roles/run.builder'),
    ...onProject(
      'wm-deploy',
      'roles/run.sourceDeveloper',
      'roles/serviceusage.serviceUsageConsumer',
      'roles/logging.logWriter',
      'roles/firebasehosting.admin',
      'roles/firebaserules.admin',
    ),
    ...deployer.map(
      (account): Grant => ({
        account: 'wm-deploy',
        role: 'roles/iam.serviceAccountUser',
        on: { kind: 'account', account },
      }),
    ),
  ]
}

/** Every grant of a deployment; `doctor` looks for these and complains about others of `fn-*`. */
export function grants(): readonly Grant[] {
  return [...functionGrants(), ...toolGrants()]
}

/** The name of a role as a policy holds it. */
export function roleName(role: string, { project }: Pick<Deployment, 'project'>): string {
  return role === REMOVER ? `projects/${project}/roles/${REMOVER}` : role
}

/** The database alone, although the role can only be granted on the project. */
export function databaseCondition({ project, database }: Deployment): string {
  return `expression=resource.name=="projects/${project}/databases/${database}",title=wowmedia-database`
}

function bindCommand({ account, role, on }: Grant, deployment: Deployment): Command {
  const { project, bucket } = deployment
  const flags = {
    project,
    member: `serviceAccount:${accountOf(deployment, account)}`,
    role: roleName(role, deployment),
    format: 'none',
  } as const
  const onProject = { member: flags.member, role: flags.role, format: 'none' } as const
  switch (on.kind) {
    case 'project':
      return gcloud(['projects', 'add-iam-policy-binding', project], {
        ...onProject,
        condition: 'None',
      })
    case 'database':
      return gcloud(['projects', 'add-iam-policy-binding', project], {
        ...onProject,
        condition: databaseCondition(deployment),
      })
    case 'bucket':
      return gcloud(['storage', 'buckets', 'add-iam-policy-binding', `gs://${bucket}`], flags)
    case 'secret':
      return gcloud(['secrets', 'add-iam-policy-binding', on.secret], flags)
    case 'account':
      return gcloud(
        ['iam', 'service-accounts', 'add-iam-policy-binding', accountOf(deployment, on.account)],
        flags,
      )
  }
}

function lockOf(on: Resource): string {
  switch (on.kind) {
    case 'project':
    case 'database':
      return 'policy of the project'
    case 'bucket':
      return 'policy of the bucket'
    case 'secret':
      return `policy of ${on.secret}`
    case 'account':
      return `policy of ${on.account}`
  }
}

export function roleStage({ project }: Deployment): Stage {
  const describe = gcloud(['iam', 'roles', 'describe', REMOVER], { project, format: 'none' })
  const run = gcloud(['iam', 'roles', 'create', REMOVER], {
    project,
    title: 'Wowmedia object remover',
    permissions: REMOVER_PERMISSIONS,
    stage: 'GA',
    quiet: true,
  })
  const step: Step = {
    id: `role ${REMOVER}`,
    run,
    unless: { command: describe, means: 'succeeds' },
  }
  return { title: 'role', steps: [step] }
}

export function accessStage(deployment: Deployment): Stage {
  const steps = grants().map((grant): Step => {
    const on = grant.on.kind === 'account' ? grant.on.account : lockOf(grant.on)
    return {
      id: `${grant.account} ${grant.role} ${on}`,
      run: bindCommand(grant, deployment),
      lock: lockOf(grant.on),
    }
  })
  return { title: 'access', steps }
}
