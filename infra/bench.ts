/** `npm run bench`: the comparisons of `test/bench`, in a process of their own. */
import { runTestProgram } from './test-program.ts'

const HELP = `npm run bench [-- --only=NAME,NAME] [--json=FILE] [--write-readme]
Side by side in one run: cold starts, logins beside a bare hash, refreshes and reads a second, uploads beside a plain
pipe, memory beside the framework's buffering, the local servers beside plain files and the real emulator, where it is.
NAMEs: calls, round-trips, upload, memory, image, storage, cold-start, firestore.
--write-readme puts the table with machine and date into README.md.`

const KNOWN = /^--(only=[a-z,-]+|json=.+|write-readme)$/

export async function main(args: readonly string[]): Promise<number> {
  return await runTestProgram('test/bench/run.ts', args, { help: HELP, known: KNOWN })
}
