/** What the doctor asks, and who judges the answer. */
import { FUNCTIONS, SECRETS } from '../manifest.ts'
import type { Resource } from '../provision/access-stages.ts'
import type { Indexes } from '../provision/indexes.ts'
import { APIS, accountIds } from '../provision/project-stages.ts'
import { type Command, gcloud } from '../release/command.ts'
import { accountOf, type Deployment } from '../release/deployment.ts'
import { describeCommand } from '../release/release-commands.ts'
import type { Finding } from './finding.ts'
import { judgeAccess, judgeOpenness } from './judge-access.ts'
import { judgeService } from './judge-service.ts'
import {
  judgeApis,
  judgeBackups,
  judgeBucket,
  judgeDatabase,
  judgeExpiry,
  judgeIndexes,
  judgeSecret,
} from './judge-stores.ts'

export type Check = {
  readonly what: string
  readonly command: Command
  /** Of the command's output. */
  readonly judge: (output: string) => readonly Finding[]
  /** Where the command fails because the thing is missing. */
  readonly mend: string
}

const parse = (output: string): unknown => JSON.parse(output)

function databaseChecks(deployment: Deployment, indexes: Indexes, mend: string): readonly Check[] {
  const { project, database } = deployment
  const flags = { project, database, format: 'json' } as const
  const ask = (what: string, words: readonly string[], judge: Check['judge']): Check => ({
    what,
    command: gcloud(['firestore', ...words], flags),
    judge,
    mend,
  })
  return [
    ask('database', ['databases', 'describe'], (text) => judgeDatabase(deployment, parse(text))),
    ask('expiry of documents', ['fields', 'ttls', 'list'], (text) =>
      judgeExpiry(deployment, parse(text)),
    ),
    ask('indexes', ['indexes', 'composite', 'list'], (text) =>
      judgeIndexes(deployment, indexes, parse(text)),
    ),
    ask('backups', ['backups', 'schedules', 'list'], (text) =>
      judgeBackups(deployment, parse(text)),
    ),
  ]
}

function secretChecks({ project }: Deployment, now: Date, mend: string): readonly Check[] {
  return Object.values(SECRETS).map(({ secret, version }) => ({
    what: `secret ${secret}`,
    command: gcloud(['secrets', 'versions', 'describe', version], {
      project,
      secret,
      format: 'json',
    }),
    judge: (text) => judgeSecret(secret, parse(text), now),
    mend,
  }))
}

function accessChecks(deployment: Deployment, mend: string): readonly Check[] {
  const { project, bucket } = deployment
  const flags = { project, format: 'json' } as const
  const policy = (what: string, on: Resource, command: Command): Check => ({
    what: `access to ${what}`,
    command,
    judge: (text) => [
      ...judgeAccess(what, on, deployment, parse(text)),
      ...judgeOpenness(what, parse(text)),
    ],
    mend,
  })
  const accounts = accountIds().map((account) => {
    const words = ['iam', 'service-accounts', 'get-iam-policy', accountOf(deployment, account)]
    return policy(account, { kind: 'account', account }, gcloud(words, flags))
  })
  const secrets = Object.values(SECRETS).map(({ secret }) =>
    policy(
      secret,
      { kind: 'secret', secret },
      gcloud(['secrets', 'get-iam-policy', secret], flags),
    ),
  )
  const projectPolicy = gcloud(['projects', 'get-iam-policy', project], { format: 'json' })
  const bucketPolicy = gcloud(['storage', 'buckets', 'get-iam-policy', `gs://${bucket}`], flags)
  return [
    policy('the project', { kind: 'project' }, projectPolicy),
    policy('the bucket', { kind: 'bucket' }, bucketPolicy),
    ...secrets,
    ...accounts,
  ]
}

/** Everything that is asked through gcloud. Pure. */
export function checks(deployment: Deployment, indexes: Indexes, now: Date): readonly Check[] {
  const { project, region, bucket } = deployment
  const mend = `npm run provision -- --project=${project} --region=${region}`
  const services = FUNCTIONS.map(
    (spec): Check => ({
      what: `function ${spec.name}`,
      command: describeCommand(spec.name, deployment),
      judge: (text) => judgeService(spec, deployment, parse(text)),
      mend: `npm run deploy -- --project=${project} --region=${region} --only=${spec.name}`,
    }),
  )
  const enabled = gcloud(['services', 'list'], {
    project,
    enabled: true,
    format: 'value(config.name)',
  })
  const described = gcloud(['storage', 'buckets', 'describe', `gs://${bucket}`], {
    project,
    format: 'json',
  })
  return [
    {
      what: 'APIs',
      command: enabled,
      judge: (text) => judgeApis(deployment, APIS, text.split(/\s+/)),
      mend,
    },
    ...databaseChecks(deployment, indexes, mend),
    {
      what: 'bucket',
      command: described,
      judge: (text) => judgeBucket(deployment, parse(text)),
      mend,
    },
    ...secretChecks(deployment, now, mend),
    ...accessChecks(deployment, mend),
    ...services,
  ]
}
