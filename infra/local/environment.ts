/** What a function needs in its environment to run against the two local servers (contract 1). */
import { join, resolve } from 'node:path'
import { SETTINGS, type SettingName } from '../../shared/settings.ts'

export type LocalServers = {
  /** `host:port` of the embedded Firestore. */
  readonly firestoreHost: string
  /** `http://host:port` of the embedded Cloud Storage. */
  readonly storageUrl: string
  /** Key file of the local identity that signs addresses. */
  readonly credentialsFile: string
}

/** `WOWMEDIA_DATA_DIR`, by default `.wowmedia` in the project; absolute. */
export function dataDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment['WOWMEDIA_DATA_DIR']
  return resolve(given === undefined || given === '' ? '.wowmedia' : given)
}

/** Where a local run keeps its keys, below the data directory. */
export function keyFiles(dataDir: string): {
  readonly SIGNING_KEY_FILE: string
  readonly TOKEN_SECRET_FILE: string
  readonly JWKS_FILE: string
} {
  const folder = join(dataDir, 'keys')
  return {
    SIGNING_KEY_FILE: join(folder, 'signing-key.json'),
    TOKEN_SECRET_FILE: join(folder, 'token-secret'),
    JWKS_FILE: join(folder, 'jwks.json'),
  }
}

const LOCAL_NAMES: readonly SettingName[] = [
  'GOOGLE_CLOUD_PROJECT',
  'FIRESTORE_DATABASE',
  'PHOTO_BUCKET',
  'TOKEN_ISSUER',
  'TOKEN_AUDIENCE',
  'TRUSTED_PROXY_HOPS',
]

/** The local defaults of the settings, where the environment does not say otherwise. */
export function localDefaults(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    LOCAL_NAMES.map((name) => [name, environment[name] || (SETTINGS[name].local ?? '')]),
  )
}

/** Every variable that a function started by hand needs against these servers; no other is. */
export function localEnvironment(
  servers: LocalServers,
  dataDir: string,
  environment: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const keys = keyFiles(dataDir)
  const given = Object.keys(keys).flatMap((name) => {
    const value = environment[name]
    return value === undefined || value === '' ? [] : [[name, value] as const]
  })
  return {
    FIRESTORE_EMULATOR_HOST: servers.firestoreHost,
    STORAGE_EMULATOR_HOST: servers.storageUrl,
    ...localDefaults(environment),
    ...keys,
    ...Object.fromEntries(given),
    GOOGLE_APPLICATION_CREDENTIALS: servers.credentialsFile,
    METADATA_SERVER_DETECTION: 'none',
  }
}
