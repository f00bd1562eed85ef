/** `npm run reset`: empties the local data directory, after asking. */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import { dataDirectory } from './local/environment.ts'
import { readRunning } from './local/running.ts'

const HELP = `npm run reset [-- --yes]
Removes the local database, photos and keys (WOWMEDIA_DATA_DIR, by default .wowmedia). Asks first.`

async function confirmed(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return (await lines.question(question)).trim().toLowerCase() === 'yes'
  } finally {
    lines.close()
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

export async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(HELP)
    return 0
  }
  const folder = dataDirectory()
  if (!existsSync(folder)) {
    console.log('There is nothing to reset.')
    return 0
  }
  const running = await readRunning(folder)
  if (running !== undefined && isAlive(running.pid)) {
    console.error(`Wowmedia runs on this data at ${running.url}: stop it first.`)
    return 1
  }
  const question = 'Remove all local users, photos and keys? Type yes: '
  if (!args.includes('--yes') && !(await confirmed(question))) {
    console.log('Nothing was removed.')
    return 1
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  console.log('Removed.')
  return 0
}
