/** `node infra/run.js audit`: known weaknesses of what is deployed, and the list of its parts (SUP-02). */
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { auditVerdict, type Exception } from './audit-verdict.ts'
import { parseCommandLine } from './command-line.ts'

const HELP = `node infra/run.js audit [--sbom=FILE]
Asks the registry for known weaknesses of the deployed packages. A high or critical one ends with 1, unless it has a
dated exception in infra/audit.ts. A registry without that service is said to have been skipped.
  --sbom   writes the parts as CycloneDX`

/** Accepted for a time, with the reason; none at present. */
const EXCEPTIONS: readonly Exception[] = []

type Output = { readonly stdout: string; readonly stderr: string }

function npm(...args: readonly string[]): Promise<Output> {
  const { promise, resolve, reject } = Promise.withResolvers<Output>()
  const child = spawn('npm', [...args], { shell: process.platform === 'win32' })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.on('error', reject)
  child.on('close', () => resolve({ stdout, stderr }))
  return promise
}

export async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: ['sbom', 'registry'], flags: [], help: HELP })
  if (line.done !== undefined) return line.done
  const { sbom, registry } = line.values
  if (sbom !== undefined) {
    const { stdout } = await npm(
      'sbom',
      '--omit=dev',
      '--sbom-format=cyclonedx',
      '--package-lock-only',
    )
    await writeFile(sbom, stdout)
    console.log(`wrote ${sbom}`)
  }
  const at = registry === undefined ? [] : [`--registry=${registry}`]
  const { stdout, stderr } = await npm('audit', '--omit=dev', '--audit=true', '--json', ...at)
  const verdict = auditVerdict(stdout, stderr, EXCEPTIONS, new Date())
  for (const text of verdict.lines) console.log(text)
  return verdict.good ? 0 : 1
}
