/** Reads the settings of `shared/settings.ts` from the environment, once, at start (contract 1, OPS-05). */
import { StartError } from './domain/start-error.ts'
import { SETTINGS, type SettingName, type Settings } from './settings.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** A setting that is missing or has not its form; the message is one line for the operator, without the value. */
export class SettingError extends Error {}

function readSetting<N extends SettingName>(name: N, environment: Environment): Settings<N>[N] {
  const definition = SETTINGS[name]
  const given = environment[name]
  const written = given === undefined || given === '' ? definition.fallback : given
  if (written === undefined)
    throw new SettingError(`${name} is not set; it must be ${definition.form}`)
  const value = definition.parse(written)
  if (value === undefined) throw new SettingError(`${name} must be ${definition.form}`)
  return value
}

function hasAll<N extends SettingName>(
  names: readonly N[],
  values: Partial<Settings<N>>,
): values is Settings<N> {
  return names.every((name) => name in values)
}

/** The named settings, checked. Pure; throws SettingError on the first that is missing or wrong. */
export function parseSettings<N extends SettingName>(
  names: readonly N[],
  environment: Environment,
): Settings<N> {
  const values: Partial<Settings<N>> = {}
  for (const name of names) Object.assign(values, { [name]: readSetting(name, environment) })
  if (!hasAll(names, values)) throw new SettingError('a setting was not read')
  return values
}

/**
 * The named settings of this process. A bad one ends it: one line naming the variable on standard
 * error, exit code 1.
 */
export function settings<N extends SettingName>(...names: readonly N[]): Settings<N> {
  try {
    return parseSettings(names, process.env)
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    return exitWithLine(error.message)
  }
}

/** Ends the process at start with one line that says what to mend (contract 1). */
export function exitWithLine(line: string): never {
  process.stderr.write(`${line}\n`)
  process.exit(1)
}

/** The value of a part of the start that reads files; a StartError ends the process like a bad setting. */
export function atStart<T>(open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    return exitWithLine(error.message)
  }
}
