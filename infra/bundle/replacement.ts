/** What stands in the place of a module that a bundle leaves out. */
export type Replacement = {
  readonly why: string
  /** CommonJS source; relative paths resolve beside the replaced module. */
  readonly source: string
}

/** Classes that throw where they are made. */
export const missing = (what: string, ...names: readonly string[]) =>
  names
    .map(
      (name) =>
        `exports.${name} = class ${name} { constructor() { throw new Error('${what}: left out of this bundle (infra/bundle/replacements.ts)') } };`,
    )
    .join('\n')
