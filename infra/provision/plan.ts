/** Everything that provisioning does, in order (deploy.md 4). Pure. */
import type { Deployment } from '../release/deployment.ts'
import { accessStage, roleStage } from './access-stages.ts'
import { backupStage, databaseStage, indexStage } from './database-stages.ts'
import { identityStage } from './identity-stage.ts'
import type { Indexes } from './indexes.ts'
import {
  alertStage,
  budgetStage,
  channelStage,
  metricStage,
  scheduleStage,
  uptimeStage,
} from './monitoring-stages.ts'
import { accountStage, apiStage } from './project-stages.ts'
import { keyStage, secretStage } from './secret-stages.ts'
import type { Stage } from './step.ts'
import { bucketStage, corsStage, imageStage } from './storage-stages.ts'

export type ProvisionOptions = {
  readonly indexes: Indexes
  /** Where the origins that may upload are written, as Cloud Storage takes them. */
  readonly corsFile: string
  readonly email: string | undefined
  readonly billingAccount: string | undefined
  /** Amount and currency, `50EUR`. */
  readonly budget: string
  /** `owner/name` on GitHub. */
  readonly repository: string | undefined
}

/** What must be there before the first deployment. */
export function foundationStages(
  deployment: Deployment,
  options: ProvisionOptions,
): readonly Stage[] {
  const { repository } = options
  return [
    apiStage(deployment),
    accountStage(deployment),
    databaseStage(deployment),
    indexStage(deployment, options.indexes),
    backupStage(deployment),
    bucketStage(deployment),
    corsStage(deployment, options.corsFile),
    secretStage(deployment),
    keyStage(deployment),
    roleStage(deployment),
    accessStage(deployment),
    imageStage(deployment),
    ...(repository === undefined ? [] : [identityStage(deployment, repository)]),
  ]
}

/** What watches the functions; needs nothing of them but their addresses, which are known before. */
export function watchStages(
  deployment: Deployment,
  options: ProvisionOptions,
  channel: string | undefined,
): readonly Stage[] {
  const { billingAccount, budget } = options
  return [
    metricStage(deployment),
    alertStage(deployment, channel),
    uptimeStage(deployment),
    scheduleStage(deployment),
    ...(billingAccount === undefined ? [] : [budgetStage(deployment, billingAccount, budget)]),
  ]
}

export function channelStages(
  deployment: Deployment,
  { email }: ProvisionOptions,
): readonly Stage[] {
  return email === undefined ? [] : [channelStage(deployment, email)]
}
