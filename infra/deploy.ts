/** `npm run deploy`: build, candidates side by side, smoke test, Hosting, promotion. */
import { main as build } from './build.ts'
import { parseCommandLine } from './command-line.ts'
import type { FunctionSpec } from './manifest.ts'
import { tooSlowForHosting } from './manifest-rules.ts'
import { promoteLines } from './promote.ts'
import { commandLine } from './release/command.ts'
import { type Deploying, deployFunctions } from './release/deploy-functions.ts'
import type { Deployment } from './release/deployment.ts'
import { functionUrl } from './release/deployment.ts'
import { requireRoutedRegion } from './release/hosting-region.ts'
import {
  findDeployment,
  PLACE_HELP,
  PLACE_VALUES,
  placeOf,
  planDeployment,
  withPlainErrors,
} from './release/open.ts'
import {
  deployCommand,
  describeCommand,
  firebaseCommand,
  invokerCommand,
  storageRulesCommand,
} from './release/release-commands.ts'
import { mustRun, runCommand } from './release/run-command.ts'
import { openState } from './release/state.ts'
import { candidateAddresses, promote, smoke } from './release/traffic.ts'

const HELP = `npm run deploy -- --project=P --region=R [--dry-run]
Builds every function, deploys it beside the one that serves, tests it, then lets it serve.
An interrupted run goes on where it stopped. npm run rollback undoes it.
${PLACE_HELP}
  --only         these functions: a,b
  --no-promote   stops after the smoke test
  --no-hosting   leaves Hosting and rules as they are
  --built        takes dist as it is
  --dry-run      prints the commands and runs none`

/** A project without a Firebase bucket has no rules to release, and nothing that they would close. */
const NO_FIREBASE_BUCKET = /has not been set up|default bucket/i

/** Every command of a release in order; the first form of the deployment is for a service that is new. */
export function deployLines(
  specs: readonly FunctionSpec[],
  deployment: Deployment,
  options: { readonly promotes: boolean; readonly hosting: boolean },
): readonly string[] {
  const candidates = specs.flatMap((spec) => [
    `# ${spec.name}`,
    commandLine(describeCommand(spec.name, deployment)),
    commandLine(deployCommand(spec, deployment, { first: false })),
    `# ${spec.name}, where it is new: this instead`,
    commandLine(deployCommand(spec, deployment, { first: true })),
    commandLine(invokerCommand(spec, deployment)),
  ])
  const hosting = [firebaseCommand(deployment), storageRulesCommand(deployment)].map(commandLine)
  const promoted = promoteLines(specs, 100, deployment)
  return [
    ...candidates,
    '# smoke test of the candidates',
    ...(options.hosting ? ['# Hosting and rules', ...hosting] : []),
    ...(options.promotes ? ['# the candidates serve', ...promoted] : []),
  ]
}

async function releaseHosting({ deployment, print }: Deploying): Promise<void> {
  await mustRun(runCommand, firebaseCommand(deployment))
  const rules = await runCommand(storageRulesCommand(deployment))
  const none = NO_FIREBASE_BUCKET.test(`${rules.stderr}${rules.stdout}`)
  if (rules.code !== 0 && !none) await mustRun(async () => rules, storageRulesCommand(deployment))
  print('  released Hosting and rules')
}

function summary(specs: readonly FunctionSpec[], deployment: Deployment): readonly string[] {
  const slow = tooSlowForHosting(specs)
  const site = deployment.settings.PUBLIC_URL ?? `https://${deployment.project}.web.app`
  return [
    '',
    `All functions: ${site}`,
    ...specs.map(({ name }) => `  ${name.padEnd(15)} ${functionUrl(deployment, name)}`),
    ...(slow.length === 0
      ? []
      : [
          `Hosting ends a call after 60 s: large photos go to the own address of ${slow.join(', ')}.`,
        ]),
  ]
}

async function release(
  deploying: Deploying,
  specs: readonly FunctionSpec[],
  options: { readonly promotes: boolean; readonly hosting: boolean },
): Promise<void> {
  const { deployment, print } = deploying
  print('candidates')
  await deployFunctions(specs, deploying)
  print('smoke test')
  await smoke(specs, await candidateAddresses(specs, deploying), print)
  if (options.hosting) await releaseHosting(deploying)
  if (!options.promotes) {
    print(
      `\nNot promoted: npm run promote -- --project=${deployment.project} --region=${deployment.region}`,
    )
    return
  }
  print('promotion')
  await promote(specs, 100, deploying)
  for (const line of summary(specs, deployment)) print(line)
}

export async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, {
    values: PLACE_VALUES,
    flags: ['dry-run', 'no-promote', 'no-hosting', 'built'],
    help: HELP,
  })
  if (line.done !== undefined) return line.done
  const options = {
    promotes: !line.flags.has('no-promote'),
    hosting: !line.flags.has('no-hosting'),
  }
  return await withPlainErrors(async () => {
    const place = placeOf(line.values)
    const planned = planDeployment(place)
    if (options.hosting) await requireRoutedRegion(planned.region)
    if (line.flags.has('dry-run')) {
      for (const text of deployLines(line.only, planned, options)) console.log(text)
      return 0
    }
    const deployment = await findDeployment(place)
    const names = line.only.map(({ name }) => name).join(',')
    if (!line.flags.has('built') && (await build([`--only=${names}`])) !== 0) return 1
    const state = openState(deployment)
    const print = (text: string) => console.log(text)
    await release({ deployment, run: runCommand, state, print, dist: 'dist' }, line.only, options)
    return 0
  })
}
