import { createPublicKey, generateKeyPair, randomUUID } from 'node:crypto'
import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

/** The local identity that signs addresses. */
export type LocalSigner = {
  readonly email: string
  /** PEM; what the server checks signatures with. */
  readonly publicKey: string
  /** Key file in the form of a service account's, mode 0600. */
  readonly credentialsFile: string
}

const EMAIL = 'local-signer@wowmedia-local.iam.gserviceaccount.com'

type KeyFile = { client_email: string; private_key: string }

function parseKeyFile(source: string): KeyFile | undefined {
  const value: unknown = JSON.parse(source)
  if (typeof value !== 'object' || value === null) return undefined
  if (!('client_email' in value && 'private_key' in value)) return undefined
  const { client_email, private_key } = value
  if (typeof client_email !== 'string' || typeof private_key !== 'string') return undefined
  return { client_email, private_key }
}

async function readKeyFile(file: string): Promise<KeyFile | undefined> {
  const source = await readFile(file, 'utf8').catch(() => undefined)
  if (source === undefined) return undefined
  const key = parseKeyFile(source)
  if (!key) throw new Error(`${file} is no service account key; remove it to get a new one.`)
  return key
}

/** RSA-2048, as Google's keys are; written whole or not at all. */
async function makeKeyFile(file: string): Promise<KeyFile> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const key = {
    type: 'service_account',
    project_id: 'wowmedia-local',
    private_key_id: randomUUID().replaceAll('-', ''),
    private_key: privateKey,
    client_email: EMAIL,
    client_id: '1',
    token_uri: 'https://oauth2.googleapis.com/token',
  }
  const draft = `${file}.new`
  await writeFile(draft, `${JSON.stringify(key, null, 2)}\n`, { mode: 0o600, flush: true })
  await chmod(draft, 0o600)
  await rename(draft, file)
  return key
}

/** Reads the key of the data directory, or makes it on the first start (about 0.2 s). */
export async function openLocalSigner(dataDir: string): Promise<LocalSigner> {
  const credentialsFile = path.resolve(dataDir, 'local-signer.json')
  const key = (await readKeyFile(credentialsFile)) ?? (await makeKeyFile(credentialsFile))
  const publicKey = createPublicKey(key.private_key).export({ type: 'spki', format: 'pem' })
  return { email: key.client_email, publicKey: publicKey.toString(), credentialsFile }
}
