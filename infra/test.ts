/**
 * `npm test`: everything that needs no Google account, with a tenth of each large count.
 * `--quick` leaves out what takes over 2 s a test, `--full` runs the whole counts, the mutants and the large
 * numbers. Everything else on the command line goes to vitest.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const HELP = `npm test [-- ARGUMENTS of vitest]
npm run test:quick   within 90 s: nothing that takes over 2 s
npm run test:full    whole counts, mutants, large numbers`

function scopeOf(args: readonly string[]): 'quick' | 'usual' | 'full' {
  if (args.includes('--quick')) return 'quick'
  return args.includes('--full') ? 'full' : 'usual'
}

export async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(HELP)
    return 0
  }
  const scope = scopeOf(args)
  const handedOn = args.filter((argument) => argument !== '--quick' && argument !== '--full')
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...handedOn], {
    stdio: 'inherit',
    env: {
      ...process.env,
      WOWMEDIA_TEST_SCOPE: scope,
      ...(scope === 'full' ? { FULL: '1' } : {}),
    },
  })
  const forward = (signal: NodeJS.Signals) => child.kill(signal)
  process.once('SIGINT', forward)
  process.once('SIGTERM', forward)
  const [code] = await once(child, 'exit')
  return typeof code === 'number' ? code : 1
}
