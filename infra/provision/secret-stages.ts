/** Secrets and their first content, made here and written to no disk (deploy.md 4, 7). Pure. */
import { SECRETS } from '../manifest.ts'
import { gcloud } from '../release/command.ts'
import type { Deployment } from '../release/deployment.ts'
import type { Input, Stage, Step } from './step.ts'

const DAY_SECONDS = 86_400

export function secretStage({ project, region }: Deployment): Stage {
  const steps = Object.values(SECRETS).map(({ secret }): Step => {
    const describe = gcloud(['secrets', 'describe', secret], { project, format: 'none' })
    const run = gcloud(['secrets', 'create', secret], {
      project,
      'replication-policy': 'user-managed',
      locations: region,
      labels: 'app=wowmedia',
      'version-destroy-ttl': `${DAY_SECONDS}s`,
      quiet: true,
    })
    return { id: `secret ${secret}`, run, unless: { command: describe, means: 'succeeds' } }
  })
  return { title: 'secrets', steps }
}

function firstVersion(input: Input, secret: string, guard: string, { project }: Deployment): Step {
  const list = gcloud(['secrets', 'versions', 'list', guard], {
    project,
    filter: 'state=ENABLED',
    limit: 1,
    format: 'value(name)',
  })
  const run = gcloud(['secrets', 'versions', 'add', secret], {
    project,
    'data-file': '-',
    format: 'none',
  })
  return {
    id: `content of ${secret}`,
    run,
    unless: { command: list, means: 'prints' },
    lock: 'keys',
    input,
  }
}

/**
 * The public set goes first and only while no signing key is stored, so that an interruption between the two
 * leaves no key that signs and is not published.
 */
export function keyStage(deployment: Deployment): Stage {
  const { signingKey, tokenSecret, jwks } = SECRETS
  return {
    title: 'keys',
    steps: [
      firstVersion('token-secret', tokenSecret.secret, tokenSecret.secret, deployment),
      firstVersion('jwks', jwks.secret, signingKey.secret, deployment),
      firstVersion('signing-key', signingKey.secret, signingKey.secret, deployment),
    ],
  }
}
