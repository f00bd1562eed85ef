/** Bucket of the photos, and what builds leave behind (deploy.md 4). Pure. */
import { gcloud } from '../release/command.ts'
import type { Deployment } from '../release/deployment.ts'
import type { Stage, Step } from './step.ts'

/** A deleted photo is gone from Cloud Storage after this; docs and SECURITY say so. */
const SOFT_DELETE = '7d'

export function bucketStage({ project, bucket, region }: Deployment): Stage {
  const url = `gs://${bucket}`
  const guarded = {
    'uniform-bucket-level-access': true,
    'public-access-prevention': true,
    'soft-delete-duration': SOFT_DELETE,
  } as const
  const describe = gcloud(['storage', 'buckets', 'describe', url], { project, format: 'none' })
  const create = gcloud(['storage', 'buckets', 'create', url], {
    project,
    location: region,
    ...guarded,
  })
  const update = gcloud(['storage', 'buckets', 'update', url], {
    project,
    ...guarded,
    'lifecycle-file': 'infra/generated/bucket-lifecycle.json',
  })
  return {
    title: 'bucket of the photos',
    steps: [
      {
        id: 'bucket',
        run: create,
        unless: { command: describe, means: 'succeeds' },
        lock: 'bucket',
      },
      { id: 'bucket settings', run: update, lock: 'bucket' },
    ],
  }
}

/** Browsers upload straight into the bucket only from the origins that may call the functions. */
export function corsStage({ project, bucket, settings }: Deployment, corsFile: string): Stage {
  const url = `gs://${bucket}`
  const wanted = (settings.CORS_ORIGINS ?? '') !== ''
  const run = gcloud(['storage', 'buckets', 'update', url], {
    project,
    ...(wanted ? { 'cors-file': corsFile } : { 'clear-cors': true }),
  })
  return { title: 'origins that may upload', steps: [{ id: 'cors', run, lock: 'bucket' }] }
}

/** Images and sources of old revisions; the images that a rollback needs stay. */
export function imageStage({ project, region }: Deployment): Stage {
  const repository = 'cloud-run-source-deploy'
  const place = { project, location: region } as const
  const describe = gcloud(['artifacts', 'repositories', 'describe', repository], {
    ...place,
    format: 'none',
  })
  const create = gcloud(['artifacts', 'repositories', 'create', repository], {
    ...place,
    'repository-format': 'docker',
    quiet: true,
  })
  const cleanup = gcloud(['artifacts', 'repositories', 'set-cleanup-policies', repository], {
    ...place,
    policy: 'infra/generated/image-cleanup.json',
    'no-dry-run': true,
  })
  const sources = gcloud(
    ['storage', 'buckets', 'update', `gs://run-sources-${project}-${region}`],
    {
      project,
      'lifecycle-file': 'infra/generated/source-lifecycle.json',
    },
  )
  const steps: readonly Step[] = [
    {
      id: 'image repository',
      run: create,
      unless: { command: describe, means: 'succeeds' },
      lock: 'images',
    },
    { id: 'image cleanup', run: cleanup, lock: 'images' },
    { id: 'source cleanup', run: sources, accept: /not found|does not exist|404/i },
  ]
  return { title: 'images', steps }
}
