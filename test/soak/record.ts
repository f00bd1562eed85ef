/** What happened, and what must not have. */
export type Happenings = {
  count(what: string): void
  /** Something that breaks a promise; printed at once. */
  violation(what: string): void
  /** `login 12, upload 40 …` */
  summary(): string
  violations(): readonly string[]
}

const SHOWN = 20

export function openRecord(print: (line: string) => void): Happenings {
  const counts = new Map<string, number>()
  const violations: string[] = []
  return {
    count: (what) => {
      counts.set(what, (counts.get(what) ?? 0) + 1)
    },
    violation: (what) => {
      violations.push(what)
      if (violations.length <= SHOWN) print(`VIOLATION ${what}`)
    },
    summary: () => [...counts].map(([what, count]) => `${what} ${count}`).join(', '),
    violations: () => violations,
  }
}
