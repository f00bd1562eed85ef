/** The README's table of settings and `.env.example`, both from `shared/settings.ts`. */
import { SETTINGS, type SettingName } from '../../shared/settings.ts'

/** Set by the platform or by `npm start`, never by hand. */
const NOT_BY_HAND: ReadonlySet<SettingName> = new Set(['K_SERVICE', 'STORAGE_EMULATOR_HOST'])

function shown(): readonly SettingName[] {
  const names: SettingName[] = []
  for (const name in SETTINGS) {
    const known = isSettingName(name) && !NOT_BY_HAND.has(name)
    if (known) names.push(name)
  }
  return names
}

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name)
}

function defaultOf(name: SettingName): string {
  const { fallback, local } = SETTINGS[name]
  const deployed = fallback === '' ? 'none' : fallback
  if (local === undefined) return deployed === undefined ? 'required' : `\`${deployed}\``
  return deployed === undefined ? `local: \`${local}\`` : `\`${deployed}\`, local: \`${local}\``
}

/** A Markdown table, one row a setting. */
export function settingsTable(): string {
  const rows = shown().map(
    (name) =>
      `| \`${name}\` | ${defaultOf(name)} | ${SETTINGS[name].meaning}; ${SETTINGS[name].form} |`,
  )
  return ['| variable | default | meaning; form |', '|---|---|---|', ...rows].join('\n')
}

/** Every setting with its meaning, commented out at its default. */
export function environmentExample(): string {
  const head = [
    '# Settings of Wowmedia. npm start needs none of them; a deployment sets them by itself.',
    '# The variables are read from the environment of the process; export those that you change.',
  ]
  const entries = shown().map((name) => {
    const { meaning, form, fallback, local } = SETTINGS[name]
    return `\n# ${meaning}: ${form}\n# ${name}=${local ?? fallback ?? ''}`
  })
  return `${[...head, ...entries].join('\n')}\n`
}
