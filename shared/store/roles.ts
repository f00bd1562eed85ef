import type { Role } from '../domain/role.ts'
import type { Database } from './firestore.ts'
import { userReference } from './users.ts'

/** Gives a user a role, effective on the next call (AZ-01); `lost` where there is no such user. */
export async function setRole(
  database: Database,
  userId: string,
  role: Role,
): Promise<'committed' | 'lost'> {
  return await database.commit((transaction) => {
    transaction.update(userReference(database, userId), { role })
  })
}
