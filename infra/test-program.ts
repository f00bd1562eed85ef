/** Programs that stand with the tests, since they use them: started on this Node, ended with us. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

export type TestProgram = {
  readonly help: string
  /** What an argument looks like, as `--name=value`. */
  readonly known: RegExp
}

/** `--name value` as `--name=value`. */
function joined(args: readonly string[]): readonly string[] {
  const result: string[] = []
  for (const argument of args) {
    const last = result.at(-1)
    if (last !== undefined && /^--[a-z]+$/.test(last) && !argument.startsWith('--')) {
      result[result.length - 1] = `${last}=${argument}`
    } else result.push(argument)
  }
  return result
}

/** Runs the program with these arguments; its exit code. */
export async function runTestProgram(
  program: string,
  args: readonly string[],
  { help, known }: TestProgram,
): Promise<number> {
  if (args.includes('--help')) {
    console.log(help)
    return 0
  }
  const given = joined(args)
  const unknown = given.find((argument) => !known.test(argument))
  if (unknown !== undefined) {
    console.error(`${unknown} is not known; --help says what is`)
    return 1
  }
  const child = spawn(process.execPath, [program, ...given], { stdio: 'inherit' })
  const forward = (signal: NodeJS.Signals) => child.kill(signal)
  process.once('SIGINT', forward)
  process.once('SIGTERM', forward)
  const [code] = await once(child, 'exit')
  return typeof code === 'number' ? code : 1
}
