/** Where a tool works: on a real project, on servers that the environment names, or on the local data. */
import { type Attached, attachLocal } from './local/attach.ts'
import { dataDirectory, localDefaults } from './local/environment.ts'

/** A real project, named on the command line, so that a variable in a shell never leads a tool there. */
export type Target = {
  readonly project?: string | undefined
  /** `wowmedia`, as it is provisioned, where absent. */
  readonly database?: string | undefined
  /** `PROJECT-photos` where absent. */
  readonly bucket?: string | undefined
}

const EMULATORS = ['FIRESTORE_EMULATOR_HOST', 'STORAGE_EMULATOR_HOST', 'METADATA_SERVER_DETECTION']

function realProject(project: string, target: Target): Attached {
  for (const name of EMULATORS) delete process.env[name]
  const env = {
    GOOGLE_CLOUD_PROJECT: project,
    FIRESTORE_DATABASE: target.database ?? process.env['FIRESTORE_DATABASE'] ?? 'wowmedia',
    PHOTO_BUCKET: target.bucket ?? process.env['PHOTO_BUCKET'] ?? `${project}-photos`,
  }
  return { env, close: async () => undefined }
}

/** Puts what the stores need into the environment of this process; `close` when the work is done. */
export async function attach(target: Target): Promise<Attached> {
  const attached = await find(target)
  Object.assign(process.env, attached.env)
  return attached
}

async function find(target: Target): Promise<Attached> {
  if (target.project !== undefined) return realProject(target.project, target)
  if (process.env['FIRESTORE_EMULATOR_HOST']) {
    return { env: localDefaults(process.env), close: async () => undefined }
  }
  return await attachLocal(dataDirectory())
}
