/** Who may call a route: the token's caller, and the role where it needs one (contract 2, AZ-01). */
import { ProblemError } from '../domain/problem.ts'
import type { Caller } from '../domain/role.ts'
import { requiredToken } from './bearer.ts'
import type { Identify } from './endpoint.ts'
import type { Binding } from './routing.ts'

/** The caller of a route that is not for anyone. Throws `token_missing`, `token_invalid`, `admin_required`, or what `identify` throws. */
export async function callerOf(
  { route, identify }: Binding,
  bearer: string | undefined,
  context: Parameters<Identify>[1],
): Promise<Caller | undefined> {
  if (route.access === 'anyone') return undefined
  const token = requiredToken(bearer)
  if (identify === undefined) throw new Error('a route with callers is served without identify')
  const caller = await identify(token, context)
  if (route.access === 'admin' && caller.role !== 'admin') throw new ProblemError('admin_required')
  return caller
}
