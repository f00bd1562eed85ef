/** Deploys candidates side by side and goes on where an interrupted run stopped. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FunctionSpec } from '../manifest.ts'
import { sideBySide } from '../provision/run-stages.ts'
import { commandLine } from './command.ts'
import type { Deployment } from './deployment.ts'
import { deployCommand, describeCommand, invokerCommand } from './release-commands.ts'
import { CommandError, mustRun, type Run } from './run-command.ts'
import { parseService, type ServiceStatus } from './service-status.ts'
import { type StateFile, withFunction } from './state.ts'

/** Each deployment is a build of its own in Google Cloud; more at once only wait for each other. */
const AT_ONCE = 5

export type Deploying = {
  readonly deployment: Deployment
  readonly run: Run
  readonly state: StateFile
  readonly print: (line: string) => void
  /** Folder with a folder for each function. */
  readonly dist: string
}

const ABSENT = /Cannot find service|NOT_FOUND|could not be found/i

/** The service, or undefined where there is none yet. */
export async function findService(
  name: string,
  { deployment, run }: Pick<Deploying, 'deployment' | 'run'>,
): Promise<ServiceStatus | undefined> {
  const command = describeCommand(name, deployment)
  const ran = await run(command)
  if (ran.code === 0) return parseService(ran.stdout)
  if (ABSENT.test(ran.stderr)) return undefined
  await mustRun(async () => ran, command)
  return undefined
}

/** What would be deployed: bundle, lock file and every flag but the commit's label. */
async function digestOf(spec: FunctionSpec, { deployment, dist }: Deploying): Promise<string> {
  const hash = createHash('sha256')
  for (const file of ['index.js', 'package.json', 'package-lock.json']) {
    const content = await readFile(join(dist, spec.name, file)).catch((cause: unknown) => {
      throw new CommandError(`dist/${spec.name} is not built: npm run build`, { cause })
    })
    hash.update(content)
  }
  const plain = { ...deployment, commit: '' }
  hash.update(commandLine(deployCommand(spec, plain, { first: false })))
  return hash.digest('hex')
}

async function deployOne(spec: FunctionSpec, deploying: Deploying): Promise<void> {
  const { deployment, run, state, print } = deploying
  const { name } = spec
  const digest = await digestOf(spec, deploying)
  const before = await findService(name, deploying)
  const known = (await state.read()).functions[name]
  if (known?.digest === digest && before?.candidate?.revision === known.candidate) {
    print(`  there    ${name}`)
    return
  }
  const first = before === undefined
  print(`  deploys  ${name}`)
  await mustRun(run, deployCommand(spec, deployment, { first }))
  if (first) await mustRun(run, invokerCommand(spec, deployment))
  const after = await findService(name, deploying)
  const candidate = after?.candidate
  if (candidate === undefined)
    throw new CommandError(`${name}: deployed, but no candidate is tagged`)
  const previous = before?.serving
  await state.change((old) =>
    withFunction({ ...old, functions: without(old.functions, name) }, name, {
      candidate: candidate.revision,
      candidateUrl: candidate.url,
      digest,
      ...(previous === undefined ? {} : { previous }),
    }),
  )
  print(`  deployed ${name} ${candidate.revision}`)
}

function without<T>(all: Readonly<Record<string, T>>, name: string): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(all).filter(([key]) => key !== name))
}

/** Throws CommandError of the first that failed, once the others have ended; a repeat does only what is missing. */
export async function deployFunctions(
  specs: readonly FunctionSpec[],
  deploying: Deploying,
): Promise<void> {
  await sideBySide(specs, AT_ONCE, (spec) => deployOne(spec, deploying))
}
