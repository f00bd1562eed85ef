import { parseCommandLine } from './command-line.ts'
import { type DevServer, StartError, startDevServer } from './local/dev-server.ts'

const HELP = `npm start
Wowmedia on this machine, with no account: every function on one port, photos and accounts kept in .wowmedia.

PORT              8080; 0 picks a free one
HOST              127.0.0.1
WOWMEDIA_DATA_DIR .wowmedia
All other settings are in the README and in .env.example.`

function errorLine(error: unknown): string | undefined {
  if (error instanceof StartError) return error.message
  if (!(error instanceof Error)) return undefined
  const taken = 'code' in error && error.code === 'EADDRINUSE'
  if (taken)
    return `The port ${process.env['PORT'] || '8080'} is taken. Stop what uses it, or start with another PORT.`
  return 'oneLine' in error && error.oneLine === true ? error.message : undefined
}

function greet(server: DevServer): void {
  console.log(`Wowmedia is ready at ${server.url}`)
  console.log(`  console     ${server.url} in a browser`)
  console.log(`  data        ${server.dataDir} (npm run reset empties it)`)
  console.log('  first admin npm run admin -- grant NAME')
  console.log('  Postman     docs/wowmedia.postman_collection.json; API at /openapi.json')
  console.log('  stop        Ctrl-C')
}

/** One Ctrl-C can arrive twice, from the terminal and from npm; only a later one is meant as "now". */
const SAME_STROKE_MS = 1_000

/** The first signal drains and ends with 0; a later one ends at once. */
async function untilStopped(server: DevServer): Promise<number> {
  const stopped = Promise.withResolvers<number>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => stopped.resolve(performance.now()))
  }
  const firstAt = await stopped.promise
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (performance.now() - firstAt > SAME_STROKE_MS) process.exit(1)
    })
  }
  await server.close()
  return 0
}

export async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: [], flags: [], help: HELP })
  if (line.done !== undefined) return line.done
  try {
    const server = await startDevServer()
    greet(server)
    const code = await untilStopped(server)
    process.exit(code)
  } catch (error) {
    const told = errorLine(error)
    if (told === undefined) throw error
    console.error(told)
    return 1
  }
}
