/** Runs stages: steps side by side, those with one lock in turn, passing errors again. */
import { commandLine } from '../release/command.ts'
import { CommandError, type Ran, type Run, reasonOf } from '../release/run-command.ts'
import type { Input, Stage, Step } from './step.ts'

export type StageOptions = {
  readonly run: Run
  /** Ids of steps that an interrupted run had finished. */
  readonly finished: ReadonlySet<string>
  /** Called after each step, before the next with the same lock begins. */
  readonly onDone: (id: string) => Promise<void>
  readonly inputOf: (input: Input) => string
  readonly print: (line: string) => void
  /** Steps at once. */
  readonly width: number
  /** First wait before a repeat, milliseconds; doubled each time. */
  readonly waitMs: number
}

const ATTEMPTS = 6

/** New accounts take some seconds to be known everywhere, and policies are changed by others meanwhile. */
const PASSING =
  /does not exist|NOT_FOUND|ABORTED|UNAVAILABLE|DEADLINE|concurrent|etag|Too Many Requests|RESOURCE_EXHAUSTED|\b(409|429|500|502|503|504)\b/i

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

async function isDone({ unless }: Step, run: Run): Promise<boolean> {
  if (unless === undefined) return false
  const { code, stdout } = await run(unless.command)
  return code === 0 && (unless.means === 'succeeds' || stdout.trim() !== '')
}

async function attempt(step: Step, options: StageOptions): Promise<Ran> {
  const input = step.input === undefined ? undefined : options.inputOf(step.input)
  for (let count = 1; ; count += 1) {
    const ran = await options.run(step.run, input)
    const good = ran.code === 0 || step.accept?.test(ran.stderr) === true
    if (good || count >= ATTEMPTS || !PASSING.test(ran.stderr)) return ran
    await pause(options.waitMs * 2 ** (count - 1))
  }
}

async function runStep(step: Step, options: StageOptions): Promise<void> {
  if (options.finished.has(step.id)) return
  if (await isDone(step, options.run)) {
    options.print(`  there   ${step.id}`)
    return
  }
  const ran = await attempt(step, options)
  if (ran.code !== 0 && step.accept?.test(ran.stderr) !== true) {
    throw new CommandError(`${step.id}: ${reasonOf(ran)}\n  ${commandLine(step.run)}`)
  }
  options.print(`  done    ${step.id}`)
  await options.onDone(step.id)
}

/** Steps in chains: those of one lock in their order, each other alone. */
function chains(steps: readonly Step[]): readonly (readonly Step[])[] {
  const groups = new Map<string, Step[]>()
  for (const step of steps) {
    const key = step.lock === undefined ? `only ${step.id}` : `lock ${step.lock}`
    groups.set(key, [...(groups.get(key) ?? []), step])
  }
  return [...groups.values()]
}

/** Calls `work` on every item, at most `width` at once; all are tried before the first error is thrown. */
export async function sideBySide<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items]
  const errors: unknown[] = []
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      try {
        await work(item)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker))
  const [first] = errors
  if (first !== undefined) throw first
}

/** Throws CommandError of the first step that failed, once the others of its stage have ended. */
export async function runStages(stages: readonly Stage[], options: StageOptions): Promise<void> {
  for (const { title, steps } of stages) {
    options.print(title)
    await sideBySide(chains(steps), options.width, async (chain) => {
      for (const step of chain) await runStep(step, options)
    })
  }
}

/** The commands as a shell script: what is looked up first, then what is run where it is not there. */
export function stageLines(stages: readonly Stage[]): readonly string[] {
  return stages.flatMap(({ title, steps }) => [
    `# ${title}`,
    ...steps.map(({ run, unless, input }) => {
      const line = `${commandLine(run)}${input === undefined ? '' : ` # ${input} made by this tool, on standard input`}`
      if (unless === undefined) return line
      const look = commandLine(unless.command)
      return unless.means === 'succeeds'
        ? `${look} >/dev/null 2>&1 || ${line}`
        : `${look} | grep -q . || ${line}`
    }),
  ])
}
