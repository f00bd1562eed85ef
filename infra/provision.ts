/** `npm run provision`: everything that a deployment needs around its functions; safe to repeat. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseCommandLine } from './command-line.ts'
import { enableAuditLogs, readPolicyCommand, writePolicyCommand } from './provision/audit-logs.ts'
import { readIndexes } from './provision/indexes.ts'
import { makeInputs } from './provision/make-inputs.ts'
import { channelCommand } from './provision/monitoring-stages.ts'
import {
  channelStages,
  foundationStages,
  type ProvisionOptions,
  watchStages,
} from './provision/plan.ts'
import { runStages, stageLines } from './provision/run-stages.ts'
import type { Stage } from './provision/step.ts'
import { commandLine } from './release/command.ts'
import type { Deployment } from './release/deployment.ts'
import {
  findDeployment,
  PLACE_HELP,
  PLACE_VALUES,
  placeOf,
  planDeployment,
  withPlainErrors,
} from './release/open.ts'
import { mustRun, runCommand } from './release/run-command.ts'
import { openState } from './release/state.ts'

const HELP = `npm run provision -- --project=P --region=R [--dry-run]
Makes what the functions need: APIs, accounts and their roles, database, bucket, secrets with first keys,
monitoring, schedule. What is there already stays; a repeat goes on where the last one stopped.
${PLACE_HELP}
  --email            where alerts go
  --billing-account  for a budget; with --budget=50EUR
  --github           OWNER/NAME that may release from its branch main
  --dry-run          prints the commands and runs none`

const CORS_FILE = '.wowmedia/releases/cors.json'
const STEPS_AT_ONCE = 6
const FIRST_WAIT_MS = 2_000

/** Origins in the form of Cloud Storage: a browser may send a photo to its session and read how far it is. */
function corsContent({ settings }: Deployment): string {
  const origin = (settings.CORS_ORIGINS ?? '').split(',').filter((part) => part !== '')
  const responseHeader = ['Content-Type', 'Location', 'Range', 'x-goog-resumable']
  return JSON.stringify([{ origin, method: ['PUT', 'POST'], responseHeader, maxAgeSeconds: 3600 }])
}

async function execute(deployment: Deployment, options: ProvisionOptions): Promise<void> {
  const state = openState(deployment)
  const { steps } = await state.read()
  await mkdir(dirname(CORS_FILE), { recursive: true })
  await writeFile(CORS_FILE, corsContent(deployment))
  const inputOf = makeInputs()
  const go = (stages: readonly Stage[]) =>
    runStages(stages, {
      run: runCommand,
      finished: new Set(steps),
      onDone: (id) => state.change((old) => ({ ...old, steps: [...old.steps, id] })),
      inputOf,
      print: (line) => console.log(line),
      width: STEPS_AT_ONCE,
      waitMs: FIRST_WAIT_MS,
    })
  await go(foundationStages(deployment, options))
  const changed = await enableAuditLogs(deployment.project, runCommand)
  console.log(`logs of data access\n  ${changed ? 'done    on' : 'there   on'}`)
  await go(channelStages(deployment, options))
  const asked = options.email !== undefined
  const channel = asked ? (await mustRun(runCommand, channelCommand(deployment))).trim() : ''
  await go(watchStages(deployment, options, channel === '' ? undefined : channel))
  await state.change((old) => ({ ...old, steps: [] }))
}

/** Every command, in order, as a shell would run it. Pure but for the index file. */
export function provisionLines(
  deployment: Deployment,
  options: ProvisionOptions,
): readonly string[] {
  const channel = options.email === undefined ? undefined : 'CHANNEL'
  return [
    ...stageLines(foundationStages(deployment, options)),
    '# logs of data access: policy.json with auditConfigs of Firestore and Cloud Storage',
    commandLine(readPolicyCommand(deployment.project)),
    commandLine(writePolicyCommand(deployment.project, 'policy.json')),
    ...stageLines(channelStages(deployment, options)),
    ...stageLines(watchStages(deployment, options, channel)),
  ]
}

export async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, {
    values: [...PLACE_VALUES, 'email', 'billing-account', 'budget', 'github'],
    flags: ['dry-run'],
    help: HELP,
  })
  if (line.done !== undefined) return line.done
  return await withPlainErrors(async () => {
    const options: ProvisionOptions = {
      indexes: await readIndexes(),
      corsFile: CORS_FILE,
      email: line.values.email,
      billingAccount: line.values['billing-account'],
      budget: line.values.budget ?? '50EUR',
      repository: line.values.github,
    }
    if (line.flags.has('dry-run')) {
      for (const text of provisionLines(planDeployment(placeOf(line.values)), options)) {
        console.log(text)
      }
      return 0
    }
    const deployment = await findDeployment(placeOf(line.values))
    await execute(deployment, options)
    console.log(
      `\nReady: npm run deploy -- --project=${deployment.project} --region=${deployment.region}`,
    )
    return 0
  })
}
