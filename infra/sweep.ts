/** `npm run sweep`: removes what crashes left behind, as the function `sweep` does on a timer (contract 1). */
import { parseArgs } from 'node:util'
import { ProblemError } from '../shared/domain/problem.ts'
import { openDatabase } from '../shared/store/firestore.ts'
import { openPhotoFiles } from '../shared/store/photo-files.ts'
import { type Swept, sweep } from '../shared/store/sweep.ts'
import { attach, type Target } from './attach.ts'

const HELP = `npm run sweep
Removes what crashes left behind: uploads that died, objects of deleted photos, direct uploads that expired,
accounts whose deletion was interrupted. Safe beside running uploads, which lose nothing that they still need.

--project ID    a real project; the local data if absent
--database ID   its database, wowmedia if absent
--bucket NAME   its bucket, ID-photos if absent`

function parse(args: readonly string[]): Target | 'help' {
  const text = { type: 'string' } as const
  const options = {
    help: { type: 'boolean' },
    project: text,
    database: text,
    bucket: text,
  } as const
  const { values } = parseArgs({ args: [...args], options })
  return values.help === true ? 'help' : values
}

async function sweepTarget(target: Target): Promise<Swept> {
  const attached = await attach(target)
  try {
    const { GOOGLE_CLOUD_PROJECT = '', FIRESTORE_DATABASE = '', PHOTO_BUCKET = '' } = attached.env
    const database = openDatabase({ GOOGLE_CLOUD_PROJECT, FIRESTORE_DATABASE })
    try {
      return await sweep({ database, files: openPhotoFiles({ PHOTO_BUCKET }), isLate: () => false })
    } finally {
      await database.client().terminate()
    }
  } finally {
    await attached.close()
  }
}

function inWords(swept: Swept): string {
  const counts = Object.entries(swept).map(([what, count]) => `${what.replace('_', ' ')} ${count}`)
  return `Swept: ${counts.join(', ')}`
}

/** One line for what the operator can mend; what nobody foresaw keeps its stack. */
function lineOf(error: unknown): string | undefined {
  if (error instanceof ProblemError) {
    const reason = error.cause instanceof Error ? error.cause.message : error.message
    return `The sweep stopped (${error.code}: ${reason.replaceAll('\n', ' ')}). Run it again.`
  }
  if (!(error instanceof Error)) return undefined
  const isUsage = 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  return isUsage || ('oneLine' in error && error.oneLine === true) ? error.message : undefined
}

export async function main(args: readonly string[]): Promise<number> {
  try {
    const target = parse(args)
    console.log(target === 'help' ? HELP : inWords(await sweepTarget(target)))
    return 0
  } catch (error) {
    const line = lineOf(error)
    if (line === undefined) throw error
    console.error(line)
    return 1
  }
}
