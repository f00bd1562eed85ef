/** One line of `npm run doctor`. */

export type Finding = {
  readonly what: string
  /** Undefined: it is as it must be. */
  readonly problem?: string
  /** A command or an act that mends it. */
  readonly mend?: string
}

export const good = (what: string): Finding => ({ what })

export const bad = (what: string, problem: string, mend: string): Finding => ({
  what,
  problem,
  mend,
})

/** `good` where nothing is wrong, else one finding for each thing that is. */
export function findings(
  what: string,
  problems: readonly string[],
  mend: string,
): readonly Finding[] {
  return problems.length === 0 ? [good(what)] : problems.map((problem) => bad(what, problem, mend))
}

export type Fields = Readonly<Record<string, unknown>>

export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Follows names into nested objects; undefined where the way ends. */
export function at(value: unknown, ...names: readonly string[]): unknown {
  return names.reduce<unknown>((inner, name) => (isRecord(inner) ? inner[name] : undefined), value)
}

export function listAt(value: unknown, ...names: readonly string[]): readonly Fields[] {
  const found = at(value, ...names)
  return Array.isArray(found) ? found.filter(isRecord) : []
}
