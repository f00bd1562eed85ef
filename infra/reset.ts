/** `npm run reset`: empties the local data directory, after asking. */
import { createInterface } from 'node:readline/promises'
import { parseCommandLine } from './command-line.ts'
import { LocalCloudError, lockDataDirectory } from './local/data-directory.ts'
import { dataDirectory } from './local/environment.ts'
import { ownFiles, removeOwnFiles } from './local/own-files.ts'

const HELP = `npm run reset [-- --yes]
Removes the local database, photos and keys from WOWMEDIA_DATA_DIR (.wowmedia), and nothing else that lies there.
  --yes  does not ask`

/** What is worth a word before it is removed, since it may take seconds. */
const MANY = 1_000

async function confirmed(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
  try {
    const answer = await Promise.race([lines.question(question), ended])
    return answer.trim().toLowerCase() === 'yes'
  } finally {
    lines.close()
  }
}

/** One line where something runs on the data. */
function inUse(folder: string): string | undefined {
  try {
    lockDataDirectory(folder).release()
    return undefined
  } catch (error) {
    if (!(error instanceof LocalCloudError)) throw error
    return `Something runs on ${folder}: stop it first. Nothing was removed.`
  }
}

async function remove(folder: string): Promise<void> {
  const files = await ownFiles(folder)
  if (files.length > MANY) console.log(`Removing ${files.length} files …`)
  const whole = await removeOwnFiles(folder, files)
  console.log(whole ? 'Removed.' : `Removed; ${folder} holds other files, which stay.`)
}

export async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: [], flags: ['yes'], help: HELP })
  if (line.done !== undefined) return line.done
  const folder = dataDirectory()
  if ((await ownFiles(folder)).length === 0) {
    console.log('There is nothing to reset.')
    return 0
  }
  const problem = inUse(folder)
  if (problem !== undefined) {
    console.error(problem)
    return 1
  }
  const question = `Remove all local users, photos and keys in ${folder}? Type yes: `
  if (!line.flags.has('yes') && !(await confirmed(question))) {
    console.log('Nothing was removed.')
    return 1
  }
  await remove(folder)
  return 0
}
