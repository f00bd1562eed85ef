/** What `destroy` removes: first what costs money or can be made again, the data only when told to. Pure. */

import { FUNCTIONS, SECRETS } from '../manifest.ts'
import { accountIds } from '../provision/project-stages.ts'
import { LOG_METRICS } from '../provision/signals.ts'
import { type Command, gcloud } from './command.ts'
import { accountOf, type Deployment } from './deployment.ts'

/** A thing that is gone afterwards; one that was not there is as good. */
export type Removal = { readonly title: string; readonly run: Command }
/** Things whose names must be asked for first. */
export type ListedRemoval = {
  readonly title: string
  readonly list: Command
  readonly remove: (name: string) => Command
}

export const GONE = /NOT_FOUND|not found|does not exist|Cannot find|could not be found/i

export function removals(deployment: Deployment): readonly Removal[] {
  const { project, region } = deployment
  const quiet = { project, quiet: true } as const
  const services = FUNCTIONS.map(({ name }) => ({
    title: `function ${name}`,
    run: gcloud(['run', 'services', 'delete', name], { ...quiet, region }),
  }))
  const metrics = LOG_METRICS.map(({ name }) => ({
    title: `metric ${name}`,
    run: gcloud(['logging', 'metrics', 'delete', name], quiet),
  }))
  const accounts = accountIds().map((id) => ({
    title: `account ${id}`,
    run: gcloud(['iam', 'service-accounts', 'delete', accountOf(deployment, id)], quiet),
  }))
  const schedule = gcloud(['scheduler', 'jobs', 'delete', 'wm-sweep'], {
    ...quiet,
    location: region,
  })
  const images = gcloud(['artifacts', 'repositories', 'delete', 'cloud-run-source-deploy'], {
    ...quiet,
    location: region,
  })
  return [
    { title: 'schedule of the sweep', run: schedule },
    ...services,
    ...metrics,
    { title: 'images', run: images },
    ...accounts,
  ]
}

export function listedRemovals({ project }: Deployment): readonly ListedRemoval[] {
  const quiet = { project, quiet: true } as const
  const named = (filter: string) => ({ project, filter, format: 'value(name)' }) as const
  return [
    {
      title: 'alerts',
      list: gcloud(['alpha', 'monitoring', 'policies', 'list'], named('displayName:"Wowmedia: "')),
      remove: (name) => gcloud(['alpha', 'monitoring', 'policies', 'delete', name], quiet),
    },
    {
      title: 'dashboard',
      list: gcloud(['monitoring', 'dashboards', 'list'], named('displayName="Wowmedia"')),
      remove: (name) => gcloud(['monitoring', 'dashboards', 'delete', name], quiet),
    },
    {
      title: 'uptime checks',
      list: gcloud(['monitoring', 'uptime', 'list-configs'], named('displayName:"wm-"')),
      remove: (name) => gcloud(['monitoring', 'uptime', 'delete', name], quiet),
    },
  ]
}

/** Users, photos, keys: gone for good, but for the soft delete of the bucket and the backups. */
export function dataRemovals({ project, database, bucket }: Deployment): readonly Removal[] {
  const quiet = { project, quiet: true } as const
  const secrets = Object.values(SECRETS).map(({ secret }) => ({
    title: `secret ${secret}`,
    run: gcloud(['secrets', 'delete', secret], quiet),
  }))
  return [
    ...secrets,
    {
      title: `photos in gs://${bucket}`,
      run: gcloud(['storage', 'rm', `gs://${bucket}`], { project, recursive: true }),
    },
    {
      title: 'protection of the database',
      run: gcloud(['firestore', 'databases', 'update'], {
        ...quiet,
        database,
        'no-delete-protection': true,
      }),
    },
    {
      title: `database ${database}`,
      run: gcloud(['firestore', 'databases', 'delete'], { ...quiet, database }),
    },
  ]
}
