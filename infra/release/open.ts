/** What every deployment command begins with: its arguments, the deployment, somebody to complain to. */
import { spawnSync } from 'node:child_process'
import { gcloud } from './command.ts'
import { type Deployment, DeploymentError, openDeployment, type Place } from './deployment.ts'
import { CommandError, mustRun, type Run, runCommand } from './run-command.ts'

/** Arguments that every deployment command takes. */
export const PLACE_VALUES = ['project', 'region', 'settings', 'only'] as const

export const PLACE_HELP = `  --project   project id
  --region    where everything lives, like europe-west1
  --settings  file of NAME=value lines; deploy.env where there is one`

export function placeOf(
  values: Readonly<Partial<Record<(typeof PLACE_VALUES)[number], string>>>,
): Place {
  return { project: values.project, region: values.region, settingsFile: values.settings }
}

function commitOf(): string {
  const { stdout, status } = spawnSync('git', ['rev-parse', '--short=12', 'HEAD'], {
    encoding: 'utf8',
  })
  return status === 0 ? stdout.trim() : 'unknown'
}

export function projectNumberCommand(project: string) {
  return gcloud(['projects', 'describe', project], { format: 'value(projectNumber)' })
}

/** Without asking anybody: addresses hold `PROJECT_NUMBER`. */
export function planDeployment(place: Place): Deployment {
  return openDeployment(place, 'PROJECT_NUMBER', commitOf())
}

/** Asks for the project's number, which its addresses hold; fails where nobody is signed in. */
export async function findDeployment(place: Place, run: Run = runCommand): Promise<Deployment> {
  const planned = planDeployment(place)
  const number = await mustRun(run, projectNumberCommand(planned.project))
  return openDeployment(place, number.trim(), planned.commit)
}

/** Runs the command; what the operator has to mend is printed and gives exit code 1. */
export async function withPlainErrors(work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DeploymentError || error instanceof CommandError)) throw error
    console.error(error.message)
    return 1
  }
}
