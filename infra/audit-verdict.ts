/** What `npm audit --json` means (SUP-02). Pure. */

export type Exception = {
  readonly package: string
  readonly reason: string
  /** Day on which it ends, `2027-01-31`; at most 30 days for a high one. */
  readonly until: string
}

export type Verdict = { readonly good: boolean; readonly lines: readonly string[] }

const SERIOUS = new Set(['high', 'critical'])

type Fields = Readonly<Record<string, unknown>>

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parsed(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}

function skipped(report: Fields, stderr: string): string | undefined {
  const error = isRecord(report['error']) ? report['error'] : report
  const text = `${String(error['summary'] ?? '')} ${String(error['message'] ?? '')} ${stderr}`
  const missing = /\b(404|405|501)\b|audit endpoint returned an error|not implemented/i.exec(text)
  return missing === null ? undefined : missing[0]
}

/** Skipped, in words, where the registry has no such service; an answer of another form is no success. */
export function auditVerdict(
  stdout: string,
  stderr: string,
  exceptions: readonly Exception[],
  now: Date,
): Verdict {
  const report = parsed(stdout)
  const found = report['vulnerabilities']
  if (!isRecord(found)) {
    const why = skipped(report, stderr)
    if (why === undefined)
      return { good: false, lines: ['npm audit gave no report', stderr.trim()] }
    return { good: true, lines: [`skipped: this registry has no audit service (${why})`] }
  }
  const today = now.toISOString().slice(0, 10)
  const serious = Object.entries(found).filter(
    ([, entry]) => isRecord(entry) && SERIOUS.has(String(entry['severity'])),
  )
  const lines = serious.map(([name, entry]) => {
    const exception = exceptions.find((known) => known.package === name && known.until >= today)
    const severity = isRecord(entry) ? String(entry['severity']) : ''
    return exception === undefined
      ? { bad: true, text: `${severity}: ${name}` }
      : { bad: false, text: `accepted until ${exception.until}: ${name}, ${exception.reason}` }
  })
  const good = lines.every(({ bad }) => !bad)
  const summary = `${Object.keys(found).length} known, ${serious.length} high or critical`
  return { good, lines: [...lines.map(({ text }) => text), summary] }
}
