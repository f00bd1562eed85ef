/** Compares policies with the manifest's grants: each is there, and the functions' accounts have nothing more. Pure. */
import { type Grant, grants, type Resource, roleName } from '../provision/access-stages.ts'
import { accountOf, type Deployment } from '../release/deployment.ts'
import { at, type Finding, findings, listAt } from './finding.ts'

function sameResource(a: Resource, b: Resource): boolean {
  const project = (on: Resource) => on.kind === 'project' || on.kind === 'database'
  if (project(a) && project(b)) return true
  if (a.kind !== b.kind) return false
  if (a.kind === 'secret' && b.kind === 'secret') return a.secret === b.secret
  if (a.kind === 'account' && b.kind === 'account') return a.account === b.account
  return true
}

function key(member: string, role: string, condition: boolean): string {
  return `${member} ${role}${condition ? ' on the database' : ''}`
}

function wantedKeys(on: Resource, deployment: Deployment): ReadonlySet<string> {
  const own = grants().filter((grant) => sameResource(grant.on, on))
  return new Set(
    own.map((grant: Grant) =>
      key(
        `serviceAccount:${accountOf(deployment, grant.account)}`,
        roleName(grant.role, deployment),
        grant.on.kind === 'database',
      ),
    ),
  )
}

function foundKeys(policy: unknown): readonly string[] {
  return listAt(policy, 'bindings').flatMap((binding) => {
    const members = at(binding, 'members')
    const condition = at(binding, 'condition') !== undefined
    if (!Array.isArray(members)) return []
    return members.map((member) => key(String(member), String(binding['role']), condition))
  })
}

/** @param policy `… get-iam-policy --format=json` of the resource, parsed */
export function judgeAccess(
  what: string,
  on: Resource,
  deployment: Deployment,
  policy: unknown,
): readonly Finding[] {
  const wanted = wantedKeys(on, deployment)
  const found = foundKeys(policy)
  const missing = [...wanted].filter((entry) => !found.includes(entry))
  const ours = `@${deployment.project}.iam.gserviceaccount.com`
  const extra = found.filter(
    (entry) => entry.startsWith('serviceAccount:fn-') && entry.includes(ours) && !wanted.has(entry),
  )
  const { project, region } = deployment
  return [
    ...findings(
      `access to ${what}`,
      missing.map((entry) => `missing: ${entry}`),
      `npm run provision -- --project=${project} --region=${region}`,
    ),
    ...extra.map((entry) => ({
      what: `access to ${what}`,
      problem: `too much: ${entry}`,
      mend: 'gcloud … remove-iam-policy-binding of this member and role',
    })),
  ]
}

/** The project itself is open to nobody who is not signed in, and no default account is used. Pure. */
export function judgeOpenness(what: string, policy: unknown): readonly Finding[] {
  const open = listAt(policy, 'bindings').filter(({ members }) => {
    const text = JSON.stringify(members ?? [])
    return text.includes('allUsers') || text.includes('allAuthenticatedUsers')
  })
  const problems = open.map(({ role }) => `${String(role)} is granted to everybody`)
  return findings(`${what} is closed`, problems, 'remove allUsers and allAuthenticatedUsers')
}
