/** `npm run admin`: who is an admin, and what only the operator may do to an account (contract 1). */
import { parseArgs } from 'node:util'
import { ProblemError } from '../shared/domain/problem.ts'
import { foldUsername } from '../shared/domain/username.ts'
import type { Accounts } from './accounts.ts'
import type { Target } from './attach.ts'

const HELP = `npm run admin -- COMMAND
On the local data, beside a running npm start or alone; with --project on a real project, as who gcloud is
signed in as (application default credentials). Nothing asks for confirmation.

grant NAME            makes an admin of a user; takes effect on the next call
revoke NAME           takes it back
list                  every admin, the name first
delete-user NAME      removes the account with its photos, sessions and counters
revoke-sessions NAME  signs out all devices

--project ID          a real project
--database ID         its database, wowmedia if absent
--bucket NAME         its bucket, ID-photos if absent`

type Command = {
  readonly takesName: boolean
  run(accounts: Accounts, name: string): Promise<string>
}

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['grant', { takesName: true, run: (accounts, name) => accounts.setRole(name, 'admin') }],
  ['revoke', { takesName: true, run: (accounts, name) => accounts.setRole(name, 'user') }],
  ['list', { takesName: false, run: (accounts) => accounts.listAdmins() }],
  ['delete-user', { takesName: true, run: (accounts, name) => accounts.deleteUser(name) }],
  ['revoke-sessions', { takesName: true, run: (accounts, name) => accounts.revokeSessions(name) }],
])

/** Something that the operator has to mend: one line. */
class UsageError extends Error {}

type Request = { readonly command: Command; readonly name: string; readonly target: Target }

function foldedName(given: string): string {
  const name = foldUsername(given)
  if (name === undefined) throw new UsageError('There is no such user: that is no username.')
  return name
}

function parse(args: readonly string[]): Request | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean' },
      project: { type: 'string' },
      database: { type: 'string' },
      bucket: { type: 'string' },
    },
  })
  if (values.help === true) return 'help'
  const [word = '', name, ...more] = positionals
  const command = COMMANDS.get(word)
  if (command === undefined) {
    throw new UsageError(`Unknown command. One of: ${[...COMMANDS.keys()].join(', ')}`)
  }
  if (command.takesName !== (name !== undefined) || more.length > 0) {
    throw new UsageError(`npm run admin -- ${word}${command.takesName ? ' NAME' : ''}`)
  }
  return { command, name: command.takesName ? foldedName(name ?? '') : '', target: values }
}

/** The SDKs are loaded here, so that help and a misspelt command don't wait for them. */
async function run({ command, name, target }: Request): Promise<string> {
  const [{ attach }, { openAccounts }, { openDatabase }, { openPhotoFiles }] = await Promise.all([
    import('./attach.ts'),
    import('./accounts.ts'),
    import('../shared/store/firestore.ts'),
    import('../shared/store/photo-files.ts'),
  ])
  const attached = await attach(target)
  try {
    const { GOOGLE_CLOUD_PROJECT = '', FIRESTORE_DATABASE = '', PHOTO_BUCKET = '' } = attached.env
    const database = openDatabase({ GOOGLE_CLOUD_PROJECT, FIRESTORE_DATABASE })
    try {
      return await command.run(openAccounts(database, openPhotoFiles({ PHOTO_BUCKET })), name)
    } finally {
      await database.client().terminate()
    }
  } finally {
    await attached.close()
  }
}

/** One line for what the operator can mend; what nobody foresaw keeps its stack. */
function lineOf(error: unknown): string | undefined {
  if (error instanceof ProblemError) return causeOf(error)
  if (error instanceof UsageError) return error.message
  if (!(error instanceof Error)) return undefined
  if ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) return error.message
  return 'oneLine' in error && error.oneLine === true ? error.message : undefined
}

function causeOf({ code, cause, detail }: ProblemError): string {
  const reason = cause instanceof Error ? cause.message : detail
  return `It did not work (${code}${reason === undefined ? '' : `: ${reason}`}).`.replaceAll(
    '\n',
    ' ',
  )
}

export async function main(args: readonly string[]): Promise<number> {
  try {
    const request = parse(args)
    const output = request === 'help' ? HELP : await run(request)
    if (output !== '') console.log(output)
    return 0
  } catch (error) {
    const line = lineOf(error)
    if (line === undefined) throw error
    console.error(line)
    return 1
  }
}
