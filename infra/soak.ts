/** `npm run soak`: the long mixed load of `test/soak`, in a process of its own. */
import { runTestProgram } from './test-program.ts'

const HELP = `npm run soak [-- --minutes 10] [--seed 1]
Many phones on a network that breaks and servers that are killed; then everything is compared.
Prints a line every 10 s, the seed, and what was broken. Exit code 1 where something was.`

const KNOWN = /^--(minutes=\d+(\.\d+)?|seed=\d+)$/

export async function main(args: readonly string[]): Promise<number> {
  return await runTestProgram('test/soak/run.ts', args, { help: HELP, known: KNOWN })
}
