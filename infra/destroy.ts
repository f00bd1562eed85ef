/** `npm run destroy`: removes a deployment; the data only with --data. */
import { createInterface } from 'node:readline/promises'
import { parseCommandLine } from './command-line.ts'
import { commandLine } from './release/command.ts'
import type { Deployment } from './release/deployment.ts'
import {
  dataRemovals,
  GONE,
  listedRemovals,
  type Removal,
  removals,
} from './release/destroy-plan.ts'
import {
  findDeployment,
  PLACE_HELP,
  PLACE_VALUES,
  placeOf,
  planDeployment,
  withPlainErrors,
} from './release/open.ts'
import { mustRun, reasonOf, runCommand } from './release/run-command.ts'

const HELP = `npm run destroy -- --project=P --region=R [--data]
Removes functions, schedule, monitoring, images and accounts. Users, photos and keys stay.
${PLACE_HELP}
  --data      users, photos and keys, too: for good
  --yes=P     does not ask; the value must be the project id
  --dry-run   prints the commands and runs none`

function plannedLines(deployment: Deployment, data: boolean): readonly string[] {
  const listed = listedRemovals(deployment).flatMap(({ title, list, remove }) => [
    `# ${title}: each that this names`,
    commandLine(list),
    commandLine(remove('NAME')),
  ])
  const all = [...removals(deployment), ...(data ? dataRemovals(deployment) : [])]
  return [...listed, ...all.map(({ run }) => commandLine(run))]
}

async function isConfirmed(deployment: Deployment, data: boolean, yes: string | undefined) {
  if (yes !== undefined) return yes === deployment.project
  const titles = [...removals(deployment), ...(data ? dataRemovals(deployment) : [])]
  console.log(`From ${deployment.project} this removes:`)
  for (const { title } of titles) console.log(`  ${title}`)
  if (!data) console.log('Users, photos and keys stay (--data removes them, too).')
  const input = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await input.question(`Type ${deployment.project} to go on: `)
  input.close()
  return answer.trim() === deployment.project
}

async function removeOne({ title, run }: Removal): Promise<boolean> {
  const ran = await runCommand(run)
  const gone = ran.code === 0 || GONE.test(ran.stderr)
  console.log(gone ? `  gone    ${title}` : `  FAILED  ${title}: ${reasonOf(ran)}`)
  return gone
}

async function removeListed(deployment: Deployment): Promise<boolean> {
  let good = true
  for (const { title, list, remove: removalOf } of listedRemovals(deployment)) {
    const names = (await mustRun(runCommand, list)).split(/\r?\n/).filter((name) => name !== '')
    for (const name of names) {
      good = (await removeOne({ title: `${title}: ${name}`, run: removalOf(name) })) && good
    }
  }
  return good
}

async function execute(deployment: Deployment, data: boolean): Promise<number> {
  let good = await removeListed(deployment)
  for (const removal of removals(deployment)) good = (await removeOne(removal)) && good
  if (data)
    for (const removal of dataRemovals(deployment)) good = (await removeOne(removal)) && good
  return good ? 0 : 1
}

export async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, {
    values: [...PLACE_VALUES, 'yes'],
    flags: ['dry-run', 'data'],
    help: HELP,
  })
  if (line.done !== undefined) return line.done
  return await withPlainErrors(async () => {
    const place = placeOf(line.values)
    const data = line.flags.has('data')
    if (line.flags.has('dry-run')) {
      for (const text of plannedLines(planDeployment(place), data)) console.log(text)
      return 0
    }
    const deployment = await findDeployment(place)
    if (await isConfirmed(deployment, data, line.values.yes)) return await execute(deployment, data)
    console.error('Nothing was removed.')
    return 1
  })
}
