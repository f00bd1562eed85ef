/** Arguments of the deployment commands: `--name=value`, `--flag`, `--only=a,b`, `--help`. */
import { FUNCTIONS, type FunctionSpec } from './manifest.ts'

type Accepted<V extends string, F extends string> = {
  readonly values: readonly V[]
  readonly flags: readonly F[]
  readonly help: string
}

export type CommandLine<V extends string, F extends string> = {
  readonly values: Readonly<Partial<Record<V, string>>>
  readonly flags: ReadonlySet<F>
  /** Functions of `--only`, or all. */
  readonly only: readonly FunctionSpec[]
  /** Exit code where nothing is left to do: help was printed, or a line says what is wrong. */
  readonly done: number | undefined
}

function problemOf(arg: string, accepted: Accepted<string, string>): string | undefined {
  const [name = '', value] = splitArgument(arg)
  if (accepted.flags.includes(name)) {
    return value === undefined ? undefined : `--${name} takes no value`
  }
  if (!accepted.values.includes(name)) return `${arg} is not known; --help lists what is`
  return value === undefined || value === '' ? `--${name} needs a value: --${name}=…` : undefined
}

function splitArgument(arg: string): readonly [string, string | undefined] {
  const at = arg.indexOf('=')
  const name = (at < 0 ? arg : arg.slice(0, at)).replace(/^--/, '')
  return arg.startsWith('--') ? [name, at < 0 ? undefined : arg.slice(at + 1)] : ['', undefined]
}

function chosen(only: string | undefined): readonly FunctionSpec[] | string {
  if (only === undefined) return FUNCTIONS
  const names = only.split(',')
  const unknown = names.find((name) => !FUNCTIONS.some((spec) => spec.name === name))
  if (unknown === undefined) return FUNCTIONS.filter(({ name }) => names.includes(name))
  return `--only: there is no function ${unknown}; there are ${FUNCTIONS.map(({ name }) => name).join(', ')}`
}

/** `--name value` is read as `--name=value`. */
function joined(args: readonly string[], values: readonly string[]): readonly string[] {
  const result: string[] = []
  for (const arg of args) {
    const last = result.at(-1)
    const waiting =
      last !== undefined && !last.includes('=') && values.some((name) => last === `--${name}`)
    if (waiting && !arg.startsWith('--')) result[result.length - 1] = `${last}=${arg}`
    else result.push(arg)
  }
  return result
}

/** Reads the arguments; prints help, or one line about the first that is wrong, and says so in `done`. */
export function parseCommandLine<V extends string, F extends string>(
  args: readonly string[],
  accepted: Accepted<V, F>,
): CommandLine<V, F> {
  const given = joined(args, accepted.values)
  const flags = new Set(accepted.flags.filter((flag) => given.includes(`--${flag}`)))
  const lookUp = (name: string) => given.map(splitArgument).findLast(([key]) => key === name)?.[1]
  const values: Partial<Record<V, string>> = {}
  for (const name of accepted.values) Object.assign(values, { [name]: lookUp(name) })
  if (given.includes('--help')) {
    console.log(accepted.help)
    return { values, flags, only: FUNCTIONS, done: 0 }
  }
  const only = chosen(accepted.values.some((name) => name === 'only') ? lookUp('only') : undefined)
  const problem = given.map((arg) => problemOf(arg, accepted)).find((line) => line !== undefined)
  const wrong = problem ?? (typeof only === 'string' ? only : undefined)
  if (wrong !== undefined) console.error(wrong)
  return {
    values,
    flags,
    only: typeof only === 'string' ? [] : only,
    done: wrong === undefined ? undefined : 1,
  }
}
