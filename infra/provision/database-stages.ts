/** Firestore: database, expiry, indexes, backups (deploy.md 4, PRIV-03). Pure. */
import { TIME_TO_LIVE } from '../local/time-to-live.ts'
import { gcloud } from '../release/command.ts'
import type { Deployment } from '../release/deployment.ts'
import type { FieldOverride, Index, Indexes } from './indexes.ts'
import type { Stage, Step } from './step.ts'

const EXISTS = /ALREADY_EXISTS|already exists/

export function databaseStage({ project, database, region }: Deployment): Stage {
  const protection = { 'enable-pitr': true, 'delete-protection': true, quiet: true } as const
  const describe = gcloud(['firestore', 'databases', 'describe'], {
    project,
    database,
    format: 'none',
  })
  const create = gcloud(['firestore', 'databases', 'create'], {
    project,
    database,
    location: region,
    type: 'firestore-native',
    edition: 'standard',
    ...protection,
  })
  const update = gcloud(['firestore', 'databases', 'update'], { project, database, ...protection })
  return {
    title: 'database',
    steps: [
      {
        id: 'database',
        run: create,
        unless: { command: describe, means: 'succeeds' },
        lock: 'database',
      },
      { id: 'database protection', run: update, lock: 'database' },
    ],
  }
}

function expiry(group: string, field: string, { project, database }: Deployment): Step {
  const run = gcloud(['firestore', 'fields', 'ttls', 'update', field], {
    project,
    database,
    'collection-group': group,
    'enable-ttl': true,
    async: true,
    quiet: true,
  })
  return { id: `expiry of ${group}`, run, lock: `field ${group}.${field}` }
}

/** A field that no query asks for costs a write each time and, where it grows with time, is a hot spot. */
function exemption({ collectionGroup, fieldPath }: FieldOverride, place: Deployment): Step {
  const run = gcloud(['firestore', 'indexes', 'fields', 'update', fieldPath], {
    project: place.project,
    database: place.database,
    'collection-group': collectionGroup,
    'disable-indexes': true,
    async: true,
    quiet: true,
  })
  const id = `no index on ${collectionGroup}.${fieldPath}`
  return { id, run, lock: `field ${collectionGroup}.${fieldPath}` }
}

function composite(index: Index, { project, database }: Deployment): Step {
  const fields = index.fields.map(
    ({ fieldPath, order }) =>
      `--field-config=field-path=${fieldPath},order=${(order ?? 'ASCENDING').toLowerCase()}`,
  )
  const scope = index.queryScope === 'COLLECTION' ? 'collection' : 'collection-group'
  const created = gcloud(['firestore', 'indexes', 'composite', 'create'], {
    project,
    database,
    'collection-group': index.collectionGroup,
    'query-scope': scope,
    async: true,
    quiet: true,
  })
  const names = index.fields.map(({ fieldPath }) => fieldPath).join(', ')
  return {
    id: `index of ${index.collectionGroup} on ${names}`,
    run: { ...created, args: [...created.args, ...fields] },
    accept: EXISTS,
    lock: 'composite indexes',
  }
}

export function indexStage(deployment: Deployment, indexes: Indexes): Stage {
  const plain = indexes.fieldOverrides.filter(({ indexes: kept }) => kept.length === 0)
  return {
    title: 'expiry and indexes',
    steps: [
      ...plain.map((override) => exemption(override, deployment)),
      ...TIME_TO_LIVE.map(({ collectionGroup, field }) =>
        expiry(collectionGroup, field, deployment),
      ),
      ...indexes.indexes.map((index) => composite(index, deployment)),
    ],
  }
}

function backup(
  recurrence: 'daily' | 'weekly',
  flags: Readonly<Record<string, string>>,
  { project, database }: Deployment,
): Step {
  const list = gcloud(['firestore', 'backups', 'schedules', 'list'], {
    project,
    database,
    filter: `${recurrence}Recurrence:*`,
    format: 'value(name)',
  })
  const run = gcloud(['firestore', 'backups', 'schedules', 'create'], {
    project,
    database,
    recurrence,
    ...flags,
    quiet: true,
  })
  return {
    id: `${recurrence} backup`,
    run,
    unless: { command: list, means: 'prints' },
    lock: 'backups',
  }
}

/** The last seven days and, weekly, the last 14 weeks: the longest that Firestore keeps. */
export function backupStage(deployment: Deployment): Stage {
  return {
    title: 'backups',
    steps: [
      backup('daily', { retention: '7d' }, deployment),
      backup('weekly', { 'day-of-week': 'SUN', retention: '14w' }, deployment),
    ],
  }
}
