/** Metrics, alerts, dashboard, uptime, budget, schedule (deploy.md 8). Pure. */
import { gcloud } from '../release/command.ts'
import { accountOf, type Deployment, functionUrl } from '../release/deployment.ts'
import {
  alertFile,
  alertTitle,
  DASHBOARD_FILE,
  DASHBOARD_NAME,
  metricFile,
} from './monitoring-files.ts'
import { ALERTS, LOG_METRICS } from './signals.ts'
import type { Stage, Step } from './step.ts'

export function metricStage({ project }: Deployment): Stage {
  const steps = LOG_METRICS.flatMap(({ name }): readonly Step[] => {
    const describe = gcloud(['logging', 'metrics', 'describe', name], { project, format: 'none' })
    const flags = {
      project,
      'config-from-file': metricFile(name),
      format: 'none',
      quiet: true,
    } as const
    const create = gcloud(['logging', 'metrics', 'create', name], flags)
    const update = gcloud(['logging', 'metrics', 'update', name], flags)
    const lock = `metric ${name}`
    return [
      { id: lock, run: create, unless: { command: describe, means: 'succeeds' }, lock },
      { id: `${lock} as committed`, run: update, lock },
    ]
  })
  return { title: 'metrics of the logs', steps }
}

const CHANNEL = 'wowmedia'

/** Prints the resource name of the channel that alerts go to. */
export function channelCommand({ project }: Deployment) {
  return gcloud(['beta', 'monitoring', 'channels', 'list'], {
    project,
    filter: `displayName="${CHANNEL}"`,
    format: 'value(name)',
    limit: 1,
  })
}

export function channelStage(deployment: Deployment, email: string): Stage {
  const { project } = deployment
  const run = gcloud(['beta', 'monitoring', 'channels', 'create'], {
    project,
    'display-name': CHANNEL,
    type: 'email',
    'channel-labels': `email_address=${email}`,
    format: 'none',
  })
  const unless = { command: channelCommand(deployment), means: 'prints' } as const
  return { title: 'channel of the alerts', steps: [{ id: 'channel', run, unless }] }
}

/** @param channel resource name that alerts go to; undefined leaves them in the console alone */
export function alertStage({ project }: Deployment, channel: string | undefined): Stage {
  const policies = ALERTS.map(({ name }): Step => {
    const list = gcloud(['alpha', 'monitoring', 'policies', 'list'], {
      project,
      filter: `displayName="${alertTitle(name)}"`,
      format: 'value(name)',
    })
    const run = gcloud(['alpha', 'monitoring', 'policies', 'create'], {
      project,
      'policy-from-file': alertFile(name),
      'notification-channels': channel,
      format: 'none',
    })
    return { id: `alert ${name}`, run, unless: { command: list, means: 'prints' } }
  })
  return { title: 'alerts', steps: [...policies, dashboardStep(project)] }
}

function dashboardStep(project: string): Step {
  const list = gcloud(['monitoring', 'dashboards', 'list'], {
    project,
    filter: `displayName="${DASHBOARD_NAME}"`,
    format: 'value(name)',
  })
  const run = gcloud(['monitoring', 'dashboards', 'create'], {
    project,
    'config-from-file': DASHBOARD_FILE,
    format: 'none',
  })
  return { id: 'dashboard', run, unless: { command: list, means: 'prints' } }
}

function uptime(name: string, path: string, service: string, deployment: Deployment): Step {
  const { project } = deployment
  const { host } = new URL(functionUrl(deployment, service))
  const list = gcloud(['monitoring', 'uptime', 'list-configs'], {
    project,
    filter: `displayName="${name}"`,
    format: 'value(name)',
  })
  const run = gcloud(['monitoring', 'uptime', 'create', name], {
    project,
    'resource-type': 'uptime-url',
    'resource-labels': `host=${host},project_id=${project}`,
    protocol: 'https',
    path,
    period: 5,
    timeout: 10,
    'status-codes': 200,
    format: 'none',
  })
  return { id: `uptime ${name}`, run, unless: { command: list, means: 'prints' } }
}

export function uptimeStage(deployment: Deployment): Stage {
  return {
    title: 'uptime',
    steps: [
      uptime('wm-welcome', '/', 'welcome', deployment),
      uptime('wm-jwks', '/.well-known/jwks.json', 'jwks', deployment),
    ],
  }
}

/** Warns only; the largest number of instances is the brake. */
export function budgetStage({ project }: Deployment, account: string, amount: string): Stage {
  const list = gcloud(['billing', 'budgets', 'list'], {
    'billing-account': account,
    filter: 'displayName="wowmedia"',
    format: 'value(name)',
  })
  const created = gcloud(['billing', 'budgets', 'create'], {
    'billing-account': account,
    'display-name': 'wowmedia',
    'budget-amount': amount,
    'filter-projects': `projects/${project}`,
  })
  const rules = [
    '--threshold-rule=percent=0.5',
    '--threshold-rule=percent=0.9',
    '--threshold-rule=percent=1.0,basis=forecasted-spend',
  ]
  const run = { ...created, args: [...created.args, ...rules] }
  return {
    title: 'budget',
    steps: [{ id: 'budget', run, unless: { command: list, means: 'prints' } }],
  }
}

/** Every 15 minutes, as an account that may call `sweep` and nothing else. */
export function scheduleStage(deployment: Deployment): Stage {
  const { project, region } = deployment
  const url = functionUrl(deployment, 'sweep')
  const flags = {
    project,
    location: region,
    schedule: '*/15 * * * *',
    'time-zone': 'Etc/UTC',
    uri: url,
    'http-method': 'post',
    'oidc-service-account-email': accountOf(deployment, 'wm-scheduler'),
    'oidc-token-audience': url,
    'attempt-deadline': '300s',
    'max-retry-attempts': 2,
    format: 'none',
  } as const
  const describe = gcloud(['scheduler', 'jobs', 'describe', 'wm-sweep'], {
    project,
    location: region,
    format: 'none',
  })
  const create = gcloud(['scheduler', 'jobs', 'create', 'http', 'wm-sweep'], flags)
  const update = gcloud(['scheduler', 'jobs', 'update', 'http', 'wm-sweep'], flags)
  return {
    title: 'schedule of the sweep',
    steps: [
      {
        id: 'schedule',
        run: create,
        unless: { command: describe, means: 'succeeds' },
        lock: 'schedule',
      },
      { id: 'schedule as committed', run: update, lock: 'schedule' },
    ],
  }
}
