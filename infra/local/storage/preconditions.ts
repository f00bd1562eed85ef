import { StorageError } from './errors.ts'

/** The four conditions of the JSON API; absent means not asked. */
export type Preconditions = {
  generationMatch?: number
  generationNotMatch?: number
  metagenerationMatch?: number
  metagenerationNotMatch?: number
}

/** The numbers that conditions compare with; an absent object counts as 0. */
type Versioned = { generation: number; metageneration: number }

/** A decimal int64 of a query or header; else 400. */
export function parseInteger(name: string, source: string): number {
  const value = Number(source)
  if (!/^-?\d{1,19}$/.test(source)) {
    throw new StorageError('invalid', `${name} must be a whole number, not '${source}'.`)
  }
  return value
}

/** Conditions out of query parameters such as `ifGenerationMatch`, or `ifSourceGenerationMatch`. */
export function readPreconditions(query: URLSearchParams, kind: '' | 'Source' = ''): Preconditions {
  const read = (name: string) => {
    const value = query.get(name)
    return value === null ? undefined : parseInteger(name, value)
  }
  return compact({
    generationMatch: read(`if${kind}GenerationMatch`),
    generationNotMatch: read(`if${kind}GenerationNotMatch`),
    metagenerationMatch: read(`if${kind}MetagenerationMatch`),
    metagenerationNotMatch: read(`if${kind}MetagenerationNotMatch`),
  })
}

const compact = (
  conditions: {
    [K in keyof Preconditions]: Preconditions[K] | undefined
  },
): Preconditions =>
  Object.fromEntries(Object.entries(conditions).filter(([, value]) => value !== undefined))

/** What the conditions say about an object: only a read makes a difference of the last two. */
export type Verdict = 'met' | 'mismatch' | 'unchanged'

/** Compares; `unchanged` means that a NotMatch condition met an equal number. */
export function judge(found: Versioned | undefined, conditions: Preconditions): Verdict {
  const { generation, metageneration } = found ?? { generation: 0, metageneration: 0 }
  const differs = (wanted: number | undefined, is: number) => wanted !== undefined && wanted !== is
  if (differs(conditions.generationMatch, generation)) return 'mismatch'
  if (differs(conditions.metagenerationMatch, metageneration)) return 'mismatch'
  if (conditions.generationNotMatch === generation) return 'unchanged'
  if (conditions.metagenerationNotMatch === metageneration) return 'unchanged'
  return 'met'
}

/** Refuses a write whose conditions are not met: 412 `conditionNotMet`. */
export function requireMet(found: Versioned | undefined, conditions: Preconditions): void {
  if (judge(found, conditions) === 'met') return
  throw new StorageError('condition', 'At least one of the pre-conditions did not hold.')
}
