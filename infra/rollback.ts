/** `npm run rollback`: the revisions that served before the last release serve again. No build, seconds. */
import { parseCommandLine } from './command-line.ts'
import { promotionOrder } from './manifest.ts'
import { commandLine } from './release/command.ts'
import {
  findDeployment,
  PLACE_HELP,
  PLACE_VALUES,
  placeOf,
  planDeployment,
  withPlainErrors,
} from './release/open.ts'
import { rollbackCommand } from './release/release-commands.ts'
import { runCommand } from './release/run-command.ts'
import { openState } from './release/state.ts'
import { rollback } from './release/traffic.ts'

const HELP = `npm run rollback -- --project=P --region=R
The revisions that served before the last npm run deploy on this machine serve again.
${PLACE_HELP}
  --only      these functions: a,b
  --dry-run   prints the commands and runs none`

export async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: PLACE_VALUES, flags: ['dry-run'], help: HELP })
  if (line.done !== undefined) return line.done
  return await withPlainErrors(async () => {
    const planned = planDeployment(placeOf(line.values))
    const state = openState(planned)
    if (line.flags.has('dry-run')) {
      const { functions } = await state.read()
      for (const { name } of promotionOrder(line.only).toReversed()) {
        const revision = functions[name]?.previous ?? `${name}-PREVIOUS`
        console.log(commandLine(rollbackCommand(name, planned, revision)))
      }
      return 0
    }
    const deployment = await findDeployment(placeOf(line.values))
    const print = (text: string) => console.log(text)
    const count = await rollback(line.only, { deployment, run: runCommand, state, print })
    if (count > 0) return 0
    console.error(
      `${state.path} knows no earlier revision; gcloud run revisions list --project=${deployment.project} --region=${deployment.region} names them, gcloud run services update-traffic NAME --to-revisions=REVISION=100 goes back`,
    )
    return 1
  })
}
