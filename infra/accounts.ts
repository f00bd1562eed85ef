/** What the operator's commands do to accounts; each answers the line that is printed. */
import type { Role } from '../shared/domain/role.ts'
import { removeAccount } from '../shared/store/account-deletion.ts'
import { findAccount, findLivingAccount } from '../shared/store/accounts.ts'
import { beginDeletion } from '../shared/store/deletions.ts'
import type { Database } from '../shared/store/firestore.ts'
import { endAllSessions } from '../shared/store/password-change.ts'
import type { PhotoFiles } from '../shared/store/photo-files.ts'
import { setRole } from '../shared/store/roles.ts'
import { untilWon } from '../shared/store/rounds.ts'
import { listAdmins } from '../shared/store/user-list.ts'
import type { Account } from '../shared/store/usernames.ts'

export type Accounts = {
  setRole(name: string, role: Role): Promise<string>
  listAdmins(): Promise<string>
  deleteUser(name: string): Promise<string>
  revokeSessions(name: string): Promise<string>
}

/** No living user has this name; the message is the line for the operator. */
class UnknownUserError extends Error {
  readonly oneLine = true
}

async function living(database: Database, name: string): Promise<Account> {
  const account = await findLivingAccount(database, name)
  if (account === undefined) throw new UnknownUserError(`There is no user ${name}.`)
  return account
}

/** All names are folded. The functions throw UnknownUserError or `unavailable`. */
export function openAccounts(database: Database, files: PhotoFiles): Accounts {
  return {
    setRole: async (name, role) => {
      const account = await living(database, name)
      const outcome = await setRole(database, account.userId, role)
      if (outcome === 'lost') throw new UnknownUserError(`There is no user ${name}.`)
      return role === 'admin' ? `${name} is an admin now.` : `${name} is no admin now.`
    },
    listAdmins: async () => {
      const admins = await listAdmins(database)
      return admins.map((user) => `${user.username}  ${user.id}`).join('\n')
    },
    deleteUser: (name) => deleteUser(database, files, name),
    revokeSessions: async (name) => {
      await untilWon(async () => {
        const account = await living(database, name)
        return await endAllSessions(database, account)
      })
      return `All devices of ${name} are signed out.`
    },
  }
}

/** Also goes on with a deletion that was begun before. */
async function deleteUser(database: Database, files: PhotoFiles, name: string): Promise<string> {
  const account = await findAccount(database, name)
  if (account === undefined) throw new UnknownUserError(`There is no user ${name}.`)
  const now = new Date()
  await beginDeletion(database, account, now)
  const user = { id: account.userId, username: name, counterId: account.counterId }
  const { removed, finished } = await removeAccount({
    database,
    files,
    user,
    now,
    isLate: () => false,
  })
  const counts = `${removed.photos} photo(s), ${removed.sessions} session(s)`
  return finished
    ? `${name} is deleted: ${counts}.`
    : `${name} is deleted: ${counts} so far; the sweep removes what an upload may still be writing.`
}
