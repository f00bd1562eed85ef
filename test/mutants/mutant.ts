/** One product line made wrong, and the test that must notice it. */

/** `from` stands exactly once in the file. */
export type Edit = { readonly file: string; readonly from: string; readonly to: string }

export type Mutant = {
  /** What the product no longer does. */
  readonly name: string
  readonly edits: readonly Edit[]
  /** Test file of which a test must fail. */
  readonly test: string
  /** A part of the names of its tests that are run; all where absent. */
  readonly named?: string
}

/** A mutant of one edit. */
export function mutant(
  name: string,
  [file, from, to]: readonly [file: string, from: string, to: string],
  [test, named]: readonly [test: string, named?: string],
): Mutant {
  const edits = [{ file, from, to }]
  return named === undefined ? { name, edits, test } : { name, edits, test, named }
}
