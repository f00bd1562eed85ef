/**
 * `npm test`: everything that needs no Google account, with a tenth of each large count.
 * `--quick` leaves out what takes over 2 s a test, `--full` runs the whole counts, the mutants and the large
 * numbers. Everything else on the command line goes to vitest.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const HELP = `npm test [-- ARGUMENTS of vitest]
npm run test:quick   within 90 s: nothing that takes over 2 s
npm run test:full    whole counts, mutants, large numbers;
                     -- --beyond-usual only the tests with counts that npm test makes smaller
                     -- .full.test     only the mutants and the large numbers`

function scopeOf(args: readonly string[]): 'quick' | 'usual' | 'full' {
  if (args.includes('--quick')) return 'quick'
  return args.includes('--full') ? 'full' : 'usual'
}

const WHOLE_COUNT = /\bFULL\b/
const LOCAL_IMPORT = /from '(\.[^']+)'/g

async function mentionsWholeCount(file: string): Promise<boolean> {
  return WHOLE_COUNT.test(await readFile(file, 'utf8').catch(() => ''))
}

/** True for a test that does more in the whole run: it, or a module that it imports, asks for `FULL`. */
async function doesMoreInFull(file: string): Promise<boolean> {
  if (file.endsWith('.full.test.ts')) return false
  const source = await readFile(file, 'utf8')
  if (WHOLE_COUNT.test(source)) return true
  const imported = [...source.matchAll(LOCAL_IMPORT)].map(([, path = '']) => path)
  const own = imported.filter((path) => path !== '../processes.ts')
  const found = await Promise.all(own.map((path) => mentionsWholeCount(join(dirname(file), path))))
  return found.includes(true)
}

async function filesBeyondUsual(): Promise<readonly string[]> {
  const names = await readdir('test', { recursive: true })
  const files = names.filter((name) => name.endsWith('.test.ts')).map((name) => join('test', name))
  const more = await Promise.all(files.map(doesMoreInFull))
  return files.filter((_, at) => more[at])
}

export async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(HELP)
    return 0
  }
  const scope = scopeOf(args)
  const own = ['--quick', '--full', '--beyond-usual']
  const chosen = args.includes('--beyond-usual') ? await filesBeyondUsual() : []
  const handedOn = [...chosen, ...args.filter((argument) => !own.includes(argument))]
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
