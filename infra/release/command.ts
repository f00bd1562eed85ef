/** A command of another program as data: printed by `--dry-run`, linted by the tests, run by `run-command.ts`. */

export type Command = {
  readonly program: 'gcloud' | 'npx'
  readonly args: readonly string[]
}

/** `gcloud` with positionals first and flags as `--name=value`; absent values leave their flag out. */
export function gcloud(
  words: readonly string[],
  flags: Readonly<Record<string, string | number | true | undefined>> = {},
): Command {
  const options = Object.entries(flags).flatMap(([name, value]) => {
    if (value === undefined) return []
    return [value === true ? `--${name}` : `--${name}=${value}`]
  })
  return { program: 'gcloud', args: [...words, ...options] }
}

const PLAIN = /^[\w@%+=:,./^*-]+$/

function quotedText(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** Only the value of a flag is quoted; gcloud's linter takes a quoted flag for a value of the one before. */
function quoted(word: string): string {
  const [flag] = /^--[\w-]+=/.exec(word) ?? []
  return flag === undefined ? quotedText(word) : `${flag}${quotedText(word.slice(flag.length))}`
}

/** One line that a POSIX shell runs as this command. */
export function commandLine({ program, args }: Command): string {
  return [program, ...args].map(quoted).join(' ')
}

/**
 * A list for gcloud whose values may hold commas. Throws where a value holds the separator, a line break or
 * `#`, after which gcloud's own linter stops reading.
 */
export function listOf(values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map(([name, value]) => `${name}=${value}`)
  const bad = pairs.find((pair) => /[@#\r\n]/.test(pair))
  if (bad !== undefined) throw new Error(`${bad.split('=')[0]} must not hold @, # or a line break`)
  return `^@^${pairs.join('@')}`
}
