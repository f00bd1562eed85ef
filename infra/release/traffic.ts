/** Moves the calls to the candidates, and back. */
import { type FunctionSpec, promotionOrder } from '../manifest.ts'
import { sideBySide } from '../provision/run-stages.ts'
import { type Deploying, findService } from './deploy-functions.ts'
import { dropTagCommand, promoteCommand, rollbackCommand, warmCommand } from './release-commands.ts'
import { CommandError, mustRun } from './run-command.ts'
import { SmokeError, smokeFunction, smokeJourney } from './smoke.ts'
import { withFunction } from './state.ts'

type Moving = Omit<Deploying, 'dist'>

/** Functions that the journey of a smoke test calls. */
const JOURNEY = ['register', 'login', 'refresh', 'upload', 'photos', 'account']
const LOOKUPS_AT_ONCE = 6

/**
 * Where to test: the candidates of the given functions, and what serves of the others that the journey needs.
 * Functions that are not deployed are left out.
 */
export async function candidateAddresses(
  specs: readonly FunctionSpec[],
  moving: Moving,
): Promise<ReadonlyMap<string, string>> {
  const chosen = new Set(specs.map(({ name }) => name))
  const found = new Map<string, string>()
  await sideBySide([...new Set([...chosen, ...JOURNEY])], LOOKUPS_AT_ONCE, async (name) => {
    const service = await findService(name, moving)
    const url = chosen.has(name) ? (service?.candidate?.url ?? service?.url) : service?.url
    if (url !== undefined) found.set(name, url)
  })
  return found
}

/** Smoke tests of the given functions; the journey where every function of it is there. */
export async function smoke(
  specs: readonly FunctionSpec[],
  addresses: ReadonlyMap<string, string>,
  print: (line: string) => void,
): Promise<void> {
  try {
    for (const spec of specs) await smokeFunction(spec, addresses.get(spec.name) ?? '')
    print(`  smoke    ${specs.length} functions answer as themselves`)
    if (!JOURNEY.every((name) => addresses.has(name))) return
    await smokeJourney((name) => addresses.get(name) ?? '')
    print('  smoke    sign-up, sign-in, refresh, photo, account deletion')
  } catch (error) {
    if (!(error instanceof SmokeError)) throw error
    throw new CommandError(`smoke test: ${error.message}; nothing was promoted`, { cause: error })
  }
}

async function promoteOne(spec: FunctionSpec, percent: number, moving: Moving): Promise<void> {
  const { deployment, run, state, print } = moving
  const service = await findService(spec.name, moving)
  if (service === undefined) throw new CommandError(`${spec.name} is not deployed: npm run deploy`)
  const { candidate } = service
  if (candidate === undefined) {
    print(`  there    ${spec.name} ${service.serving ?? ''}`)
    return
  }
  await mustRun(run, promoteCommand(spec.name, deployment, percent))
  if (percent < 100) {
    print(`  ${String(percent).padStart(3)} %    ${spec.name} ${candidate.revision}`)
    return
  }
  if (spec.minInstances > 0) await mustRun(run, warmCommand(spec, deployment))
  await mustRun(run, dropTagCommand(spec.name, deployment))
  await state.change((old) => withFunction(old, spec.name, { promoted: true }))
  print(`  promoted ${spec.name} ${candidate.revision}`)
}

/** Verifiers before issuers, one after the other; each call of a user finds a set that fits together. */
export async function promote(
  specs: readonly FunctionSpec[],
  percent: number,
  moving: Moving,
): Promise<void> {
  for (const spec of promotionOrder(specs)) await promoteOne(spec, percent, moving)
}

/** The functions that have a revision to go back to, in the order of going back: issuers first. */
export async function rollback(specs: readonly FunctionSpec[], moving: Moving): Promise<number> {
  const { functions } = await moving.state.read()
  let count = 0
  for (const { name } of promotionOrder(specs).toReversed()) {
    const previous = functions[name]?.previous
    if (previous === undefined) continue
    await mustRun(moving.run, rollbackCommand(name, moving.deployment, previous))
    moving.print(`  serves   ${name} ${previous}`)
    count += 1
  }
  return count
}
