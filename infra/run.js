// Every npm script starts here, in plain JavaScript: an older Node gets one clear line instead of a syntax error.
import { fileURLToPath } from 'node:url'

const [major] = process.versions.node.split('.').map(Number)
if (major < 24) {
  console.error(
    `Wowmedia needs Node 24 and found ${process.versions.node}: no npm package carries Node for this machine, so install Node 24 and try again.`,
  )
  process.exit(1)
}

// What Node compiled is kept for the next start: a third of the time until `npm start` answers.
const { enableCompileCache } = await import('node:module')
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)))

const [name, ...args] = process.argv.slice(2)
const commands = {
  start: './start.ts',
  'local-cloud': './local-cloud.ts',
  test: './test.ts',
  check: './check.ts',
  bench: './bench.ts',
  soak: './soak.ts',
  build: './build.ts',
  provision: './provision.ts',
  deploy: './deploy.ts',
  promote: './promote.ts',
  rollback: './rollback.ts',
  destroy: './destroy.ts',
  doctor: './doctor.ts',
  admin: './admin.ts',
  keys: './keys.ts',
  sweep: './sweep.ts',
  reset: './reset.ts',
  generate: './generate.ts',
  audit: './audit.ts',
}
const module = commands[name]
if (module === undefined) {
  console.error(`Unknown command. One of: ${Object.keys(commands).join(', ')}`)
  process.exit(1)
}
const { main } = await import(module)
process.exitCode = await main(args)
