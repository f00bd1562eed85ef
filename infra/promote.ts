/** `npm run promote`: lets the candidates serve, all at once or a part of the calls. */
import { parseCommandLine } from './command-line.ts'
import { type FunctionSpec, promotionOrder } from './manifest.ts'
import { commandLine } from './release/command.ts'
import { type Deployment, DeploymentError } from './release/deployment.ts'
import {
  findDeployment,
  PLACE_HELP,
  PLACE_VALUES,
  placeOf,
  planDeployment,
  withPlainErrors,
} from './release/open.ts'
import { dropTagCommand, promoteCommand, warmCommand } from './release/release-commands.ts'
import { runCommand } from './release/run-command.ts'
import { openState } from './release/state.ts'
import { promote } from './release/traffic.ts'

const HELP = `npm run promote -- --project=P --region=R [--percent=10]
Lets the candidates of npm run deploy -- --no-promote serve.
${PLACE_HELP}
  --only      these functions: a,b
  --percent   only so many of a hundred calls; the candidates keep their tag
  --dry-run   prints the commands and runs none`

function percentOf(text: string | undefined): number {
  const percent = text === undefined ? 100 : Number(text)
  if (Number.isInteger(percent) && percent >= 1 && percent <= 100) return percent
  throw new DeploymentError('--percent must be a whole number from 1 to 100')
}

/** Every command of a promotion, in order. Pure. */
export function promoteLines(
  specs: readonly FunctionSpec[],
  percent: number,
  deployment: Deployment,
): readonly string[] {
  return promotionOrder(specs).flatMap((spec) => {
    const moved = commandLine(promoteCommand(spec.name, deployment, percent))
    if (percent < 100) return [moved]
    const warm = spec.minInstances > 0 ? [commandLine(warmCommand(spec, deployment))] : []
    return [moved, ...warm, commandLine(dropTagCommand(spec.name, deployment))]
  })
}

export async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, {
    values: [...PLACE_VALUES, 'percent'],
    flags: ['dry-run'],
    help: HELP,
  })
  if (line.done !== undefined) return line.done
  return await withPlainErrors(async () => {
    const percent = percentOf(line.values.percent)
    if (line.flags.has('dry-run')) {
      const planned = planDeployment(placeOf(line.values))
      for (const text of promoteLines(line.only, percent, planned)) console.log(text)
      return 0
    }
    const deployment = await findDeployment(placeOf(line.values))
    const print = (text: string) => console.log(text)
    const state = openState(deployment)
    await promote(line.only, percent, { deployment, run: runCommand, state, print })
    return 0
  })
}
