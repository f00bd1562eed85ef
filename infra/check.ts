/** `npm run check`: types, lint, layers, and generated files against what they are made from. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { checkLayers } from './check-layers.ts'
import { parseCommandLine } from './command-line.ts'

function run(step: string, args: readonly string[]): boolean {
  const started = performance.now()
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${step} (${seconds} s)`)
  return status === 0
}

function trackedSources(): readonly string[] {
  const { stdout } = spawnSync('git', ['ls-files', '-z', '--', '*.ts'], { encoding: 'utf8' })
  const listed = stdout.split('\0').filter((file) => file !== '' && existsSync(file))
  return listed.filter((file) => /^(functions|shared|infra|test)\//.test(file))
}

async function layers(): Promise<boolean> {
  const files = trackedSources()
  const found = await checkLayers(files)
  for (const line of found) console.error(line)
  const right = found.length === 0 && files.length > 20
  console.log(`${right ? 'ok    ' : 'FAILED'} layers (${files.length} files)`)
  return right
}

const HELP = `npm run check -- [--write] [--audit]
Types (tsc), lint and format (Biome), layers, and the generated files against their sources.
  --write  makes the generated files anew and formats the sources first
  --audit  only asks the registry for known vulnerabilities of what is deployed`

export async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: [], flags: ['write', 'audit'], help: HELP })
  if (line.done !== undefined) return line.done
  if (line.flags.has('audit')) return run('audit', ['infra/run.js', 'audit']) ? 0 : 1
  if (line.flags.has('write')) {
    run('generate', ['infra/run.js', 'generate'])
    run('format', ['node_modules/@biomejs/biome/bin/biome', 'check', '--write', '.'])
  }
  const results = [
    run('types', ['node_modules/typescript/bin/tsc']),
    run('lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']),
    await layers(),
    run('generated files', ['infra/run.js', 'generate', '--check']),
  ]
  return results.every(Boolean) ? 0 : 1
}
