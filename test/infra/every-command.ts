/** Every command that the tools can print. */
import { checks } from '../../infra/doctor/checks.ts'
import { FUNCTIONS } from '../../infra/manifest.ts'
import { readPolicyCommand, writePolicyCommand } from '../../infra/provision/audit-logs.ts'
import { readIndexes } from '../../infra/provision/indexes.ts'
import { channelCommand } from '../../infra/provision/monitoring-stages.ts'
import { channelStages, foundationStages, watchStages } from '../../infra/provision/plan.ts'
import type { Command } from '../../infra/release/command.ts'
import { type Deployment, openDeployment } from '../../infra/release/deployment.ts'
import { dataRemovals, listedRemovals, removals } from '../../infra/release/destroy-plan.ts'
import { projectNumberCommand } from '../../infra/release/open.ts'
import {
  deployCommand,
  describeCommand,
  dropTagCommand,
  invokerCommand,
  promoteCommand,
  rollbackCommand,
  warmCommand,
} from '../../infra/release/release-commands.ts'

export const DEPLOYMENT: Deployment = openDeployment(
  { project: 'demo-project', region: 'europe-west1', settingsFile: undefined },
  '123456789012',
  'abc1234',
)

function releaseCommands(): readonly Command[] {
  return FUNCTIONS.flatMap((spec) => [
    describeCommand(spec.name, DEPLOYMENT),
    deployCommand(spec, DEPLOYMENT, { first: true }),
    deployCommand(spec, DEPLOYMENT, { first: false }),
    invokerCommand(spec, DEPLOYMENT),
    warmCommand(spec, DEPLOYMENT),
    promoteCommand(spec.name, DEPLOYMENT),
    promoteCommand(spec.name, DEPLOYMENT, 10),
    rollbackCommand(spec.name, DEPLOYMENT, `${spec.name}-00007-abc`),
    dropTagCommand(spec.name, DEPLOYMENT),
  ])
}

/** @param corsFile a file that is there: gcloud's linter believes every command whose files are missing */
export async function everyCommand(corsFile: string): Promise<readonly Command[]> {
  const indexes = await readIndexes()
  const options = {
    indexes,
    corsFile,
    email: 'ops@example.com',
    billingAccount: '0A0A0A-0B0B0B-0C0C0C',
    budget: '50EUR',
    repository: 'acme/wowmedia',
  }
  const browsers = {
    ...DEPLOYMENT,
    settings: { ...DEPLOYMENT.settings, CORS_ORIGINS: 'https://a.example' },
  }
  const stages = [DEPLOYMENT, browsers].flatMap((deployment) => [
    ...foundationStages(deployment, options),
    ...channelStages(deployment, options),
    ...watchStages(deployment, options, 'projects/p/notificationChannels/1'),
  ])
  const steps = stages.flatMap(({ steps: all }) => all)
  return [
    ...steps.map(({ run }) => run),
    ...steps.flatMap(({ unless }) => (unless === undefined ? [] : [unless.command])),
    ...releaseCommands(),
    ...checks(DEPLOYMENT, indexes, new Date(0)).map(({ command }) => command),
    ...removals(DEPLOYMENT).map(({ run }) => run),
    ...dataRemovals(DEPLOYMENT).map(({ run }) => run),
    ...listedRemovals(DEPLOYMENT).flatMap(({ list, remove }) => [list, remove('a-name')]),
    projectNumberCommand(DEPLOYMENT.project),
    channelCommand(DEPLOYMENT),
    readPolicyCommand(DEPLOYMENT.project),
    writePolicyCommand(DEPLOYMENT.project, corsFile),
  ]
}

/** Words and names of flags, without their values: commands of one shape are right or wrong together. */
export function shapeOf({ args }: Command): string {
  return args
    .filter((word, index) => word.startsWith('--') || index < 4)
    .map((word) => word.replace(/=.*$/, ''))
    .join(' ')
}
