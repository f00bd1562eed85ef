/** Where a deployment goes and which settings it has. */
import { existsSync, readFileSync } from 'node:fs'
import { parseSettings, SettingError } from '../../shared/config.ts'
import { SETTINGS, type SettingName } from '../../shared/settings.ts'
import { FUNCTIONS, type FunctionSpec, PLATFORM_SETTINGS, SECRETS } from '../manifest.ts'

/** Regions that Firebase Hosting can route to and that have every service used here. */
export const REGIONS = [
  'asia-east1',
  'asia-northeast1',
  'asia-south1',
  'asia-southeast1',
  'australia-southeast1',
  'europe-north1',
  'europe-west1',
  'europe-west2',
  'europe-west3',
  'europe-west4',
  'northamerica-northeast1',
  'southamerica-east1',
  'us-central1',
  'us-east1',
  'us-east4',
  'us-west1',
] as const

export type Deployment = {
  readonly project: string
  /** Project number; `PROJECT_NUMBER` in a dry run, which asks nobody. */
  readonly number: string
  readonly region: string
  readonly database: string
  readonly bucket: string
  /** Of the operator; the manifest says which function gets which. */
  readonly settings: Readonly<Partial<Record<SettingName, string>>>
  /** Short commit, for labels. */
  readonly commit: string
}

/** Something in the arguments or the settings file that the operator must mend; the message is one line. */
export class DeploymentError extends Error {}

const OWN: readonly SettingName[] = [
  ...PLATFORM_SETTINGS,
  ...Object.values(SECRETS).map(({ setting }) => setting),
  'FUNCTION_URLS',
]

function known(name: string): SettingName | undefined {
  return Object.keys(SETTINGS).find((setting): setting is SettingName => setting === name)
}

/** `NAME=value` lines; empty lines and those that start with `#` are skipped. */
export function parseSettingsFile(
  text: string,
  file: string,
): Readonly<Partial<Record<SettingName, string>>> {
  const settings: Partial<Record<SettingName, string>> = {}
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const at = line.indexOf('=')
    const name = known(line.slice(0, Math.max(0, at)))
    const where = `${file}, line ${index + 1}`
    if (name === undefined) throw new DeploymentError(`${where}: this is no setting of Wowmedia`)
    if (OWN.includes(name)) throw new DeploymentError(`${where}: ${name} is set by the deployment`)
    settings[name] = line.slice(at + 1)
  }
  return settings
}

function checked(settings: Readonly<Partial<Record<SettingName, string>>>, file: string) {
  const names = Object.keys(settings).flatMap((name) => known(name) ?? [])
  try {
    parseSettings(names, settings)
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    throw new DeploymentError(`${file}: ${error.message}`, { cause: error })
  }
}

export type Place = {
  readonly project: string | undefined
  readonly region: string | undefined
  /** Absent: `deploy.env`, where there is one. */
  readonly settingsFile: string | undefined
}

function requirePlace({ project, region }: Place): { project: string; region: string } {
  if (project === undefined || !/^[a-z][a-z0-9-]{2,28}[a-z0-9]$/.test(project)) {
    throw new DeploymentError(
      '--project=ID is needed: lower-case letters, digits, hyphens, at most 30',
    )
  }
  const found = REGIONS.find((name) => name === region)
  if (found === undefined) {
    throw new DeploymentError(`--region is needed, one of ${REGIONS.join(', ')}`)
  }
  return { project, region: found }
}

function readSettings(given: string | undefined): Readonly<Partial<Record<SettingName, string>>> {
  const file = given ?? 'deploy.env'
  if (!existsSync(file)) {
    if (given === undefined) return {}
    throw new DeploymentError(`${file} does not exist`)
  }
  return parseSettingsFile(readFileSync(file, 'utf8'), file)
}

/**
 * The deployment that the arguments ask for. Issuer and audience default to the project's Hosting address,
 * never to an address of a function, so that tokens outlive a move.
 */
export function openDeployment(place: Place, number: string, commit: string): Deployment {
  const { project, region } = requirePlace(place)
  const settings = {
    TOKEN_ISSUER: `https://${project}.web.app`,
    TOKEN_AUDIENCE: 'wowmedia',
    TRUSTED_PROXY_HOPS: '1',
    ...readSettings(place.settingsFile),
    GOOGLE_CLOUD_PROJECT: project,
    FIRESTORE_DATABASE: 'wowmedia',
    PHOTO_BUCKET: `${project}-photos`,
  }
  checked(settings, place.settingsFile ?? 'deploy.env')
  const { FIRESTORE_DATABASE: database, PHOTO_BUCKET: bucket } = settings
  return { project, number, region, database, bucket, settings, commit }
}

/** A function's address, known before it exists. */
export function functionUrl({ number, region }: Deployment, name: string): string {
  return `https://${name}-${number}.${region}.run.app`
}

export function accountOf({ project }: Pick<Deployment, 'project'>, id: string): string {
  return `${id}@${project}.iam.gserviceaccount.com`
}

function functionUrls(deployment: Deployment): string {
  return FUNCTIONS.filter(({ public: reachable }) => reachable)
    .map(({ name }) => `${name}=${functionUrl(deployment, name)}`)
    .join(',')
}

/** Every variable of one function: what its row names and the operator set, and where its secrets are. */
export function environmentOf(
  spec: FunctionSpec,
  deployment: Deployment,
): Readonly<Record<string, string>> {
  const urls = { FUNCTION_URLS: functionUrls(deployment) }
  const values: Readonly<Record<string, string | undefined>> = { ...deployment.settings, ...urls }
  const chosen = spec.settings.flatMap((name) => {
    const value = values[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  const mounts = spec.secrets.map((name) => [SECRETS[name].setting, SECRETS[name].path] as const)
  return { NODE_ENV: 'production', ...Object.fromEntries([...chosen, ...mounts]) }
}
