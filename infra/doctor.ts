/** `npm run doctor`: everything that can be wrong with a deployment, and what mends it. */
import { parseCommandLine } from './command-line.ts'
import { type Check, checks } from './doctor/checks.ts'
import { bad, type Finding, good } from './doctor/finding.ts'
import { judgeProxies } from './doctor/judge-stores.ts'
import { FUNCTIONS, type FunctionSpec } from './manifest.ts'
import { readIndexes } from './provision/indexes.ts'
import { sideBySide } from './provision/run-stages.ts'
import { commandLine, gcloud } from './release/command.ts'
import { type Deployment, functionUrl } from './release/deployment.ts'
import {
  findDeployment,
  PLACE_HELP,
  PLACE_VALUES,
  placeOf,
  planDeployment,
  withPlainErrors,
} from './release/open.ts'
import { mustRun, reasonOf, runCommand } from './release/run-command.ts'
import { SmokeError, smokeFunction } from './release/smoke.ts'

const HELP = `npm run doctor -- --project=P --region=R
Checks tools, login, project, APIs, database, bucket, secrets, access, functions and their answers. Each line
that says BAD says what mends it; then the exit code is 1.
${PLACE_HELP}
  --dry-run   prints what is asked and asks nothing`

const AT_ONCE = 8

async function examine({ what, command, judge, mend }: Check): Promise<readonly Finding[]> {
  const ran = await runCommand(command)
  if (ran.code !== 0) return [bad(what, reasonOf(ran), mend)]
  try {
    return judge(ran.stdout)
  } catch (error) {
    return [bad(what, `unreadable answer: ${String(error)}`, commandLine(command))]
  }
}

async function answers(spec: FunctionSpec, deployment: Deployment): Promise<Finding> {
  const what = `answer of ${spec.name}`
  try {
    await smokeFunction(spec, functionUrl(deployment, spec.name))
    return good(what)
  } catch (error) {
    if (!(error instanceof SmokeError)) throw error
    const { project, region } = deployment
    return bad(what, error.message, `npm run deploy -- --project=${project} --region=${region}`)
  }
}

async function hosting({ project, settings, region }: Deployment): Promise<Finding> {
  const url = `${settings.PUBLIC_URL ?? `https://${project}.web.app`}/.well-known/jwks.json`
  const answer = await fetch(url).catch(() => undefined)
  if (answer?.ok === true) return good('Hosting routes to the functions')
  const problem = answer === undefined ? `no answer at ${url}` : `${answer.status} at ${url}`
  return bad('Hosting', problem, `npm run deploy -- --project=${project} --region=${region}`)
}

function show({ what, problem, mend }: Finding): void {
  if (problem === undefined) console.log(`ok   ${what}`)
  else console.log(`BAD  ${what}: ${problem}\n       ${mend ?? ''}`)
}

const VERSION = gcloud(['version'], { format: 'value("Google Cloud SDK")' })

async function examineAll(deployment: Deployment): Promise<number> {
  let wrong = 0
  const report = (found: readonly Finding[]) => {
    for (const finding of found) show(finding)
    wrong += found.filter(({ problem }) => problem !== undefined).length
  }
  report([good(`gcloud ${(await mustRun(runCommand, VERSION)).trim()}, signed in`)])
  report(judgeProxies(deployment))
  const all = checks(deployment, await readIndexes(), new Date())
  await sideBySide(all, AT_ONCE, async (check) => report(await examine(check)))
  await sideBySide(FUNCTIONS, AT_ONCE, async (spec) => report([await answers(spec, deployment)]))
  report([await hosting(deployment)])
  console.log(wrong === 0 ? '\nAll is well.' : `\n${wrong} to mend.`)
  return wrong === 0 ? 0 : 1
}

export async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: PLACE_VALUES, flags: ['dry-run'], help: HELP })
  if (line.done !== undefined) return line.done
  return await withPlainErrors(async () => {
    const place = placeOf(line.values)
    if (line.flags.has('dry-run')) {
      const all = checks(planDeployment(place), await readIndexes(), new Date())
      for (const { command } of all) console.log(commandLine(command))
      return 0
    }
    return await examineAll(await findDeployment(place))
  })
}
