/** Data-access logs of Firestore and Cloud Storage (OPS-02), which live in the project's policy. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Command, gcloud } from '../release/command.ts'
import { mustRun, type Run } from '../release/run-command.ts'

const SERVICES = ['datastore.googleapis.com', 'storage.googleapis.com'] as const
const LOG_TYPES = ['ADMIN_READ', 'DATA_READ', 'DATA_WRITE'] as const

type Policy = Readonly<Record<string, unknown>>

function isRecord(value: unknown): value is Policy {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function entriesOf(value: unknown): readonly Policy[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}

function isComplete(config: Policy): boolean {
  const types = entriesOf(config['auditLogConfigs']).map((entry) => entry['logType'])
  return LOG_TYPES.every((type) => types.includes(type))
}

/** The policy with the logs on, or undefined where they are on already. Pure. */
export function withAuditLogs(policy: Policy): Policy | undefined {
  const configs = entriesOf(policy['auditConfigs'])
  const missing = SERVICES.filter(
    (service) => !configs.some((config) => config['service'] === service && isComplete(config)),
  )
  if (missing.length === 0) return undefined
  const auditLogConfigs = LOG_TYPES.map((logType) => ({ logType }))
  const kept = configs.filter(({ service }) => !missing.some((name) => name === service))
  const added = missing.map((service) => ({ service, auditLogConfigs }))
  return { ...policy, auditConfigs: [...kept, ...added] }
}

export function readPolicyCommand(project: string): Command {
  return gcloud(['projects', 'get-iam-policy', project], { format: 'json' })
}

/** The file holds the etag that was read, so that another's change in between is refused, not lost. */
export function writePolicyCommand(project: string, file: string): Command {
  return gcloud(['projects', 'set-iam-policy', project, file], { format: 'none', quiet: true })
}

/** Switches the logs on; true where they were off. */
export async function enableAuditLogs(project: string, run: Run): Promise<boolean> {
  const policy: unknown = JSON.parse(await mustRun(run, readPolicyCommand(project)))
  const changed = isRecord(policy) ? withAuditLogs(policy) : undefined
  if (changed === undefined) return false
  const folder = await mkdtemp(join(tmpdir(), 'wowmedia-policy-'))
  try {
    const file = join(folder, 'policy.json')
    await writeFile(file, JSON.stringify(changed), { mode: 0o600 })
    await mustRun(run, writePolicyCommand(project, file))
    return true
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
