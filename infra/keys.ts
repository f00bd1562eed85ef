/** `npm run keys`: the signing keys of the local data; those of a deployment are in Secret Manager. */
import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type PublicJwk, parsePublicKeys } from '../shared/crypto/public-keys.ts'
import { generateSigningKey, parseSigningKey } from '../shared/crypto/signing-keys.ts'
import { StartError } from '../shared/domain/start-error.ts'
import { dataDirectory, keyFiles } from './local/environment.ts'
import { findRunning } from './local/find-running.ts'
import { keyFileContent, replaceFile } from './local/keys.ts'

const HELP = `npm run keys -- COMMAND
The signing keys of the local data (WOWMEDIA_DATA_DIR). A running npm start takes a change up within 5 s.

rotate      makes a key that signs from now on; the ones before still verify
list        every key, its id first, and from when on nobody misses it
retire KID  refuses the tokens of a key at once`

/** Longest life of an access token and the clock tolerance (KEY-03), and the 5 s until a change is taken up. */
const LAST_TOKEN_MS = (16 * 60 + 5) * 1000

type Files = { readonly signing: string; readonly public: string }

/** Something that the operator has to mend: one line. */
class UsageError extends Error {}

/** The key files of what runs on the data, which may have been started with others than the data's own. */
async function findFiles(): Promise<Files> {
  const dataDir = dataDirectory()
  const running = await findRunning(dataDir)
  const given = { ...process.env, ...running?.environment }
  const own = keyFiles(dataDir)
  return {
    signing: given['SIGNING_KEY_FILE'] || own.SIGNING_KEY_FILE,
    public: given['JWKS_FILE'] || own.JWKS_FILE,
  }
}

async function contentOf(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`There are no keys at ${path} yet: npm start makes them.`, {
      cause: error,
    })
  })
}

async function readKeys(files: Files) {
  const { jwks } = parsePublicKeys(await contentOf(files.public))
  const { kid } = parseSigningKey(await contentOf(files.signing))
  return { jwks, signing: kid }
}

async function writePublic(files: Files, keys: readonly PublicJwk[]): Promise<void> {
  await replaceFile(files.public, keyFileContent({ keys }), 0o644)
}

/** The public set first: no token is signed with a key that is not in it. */
async function rotate(files: Files): Promise<string> {
  const { jwks } = await readKeys(files)
  const { privateJwk, publicJwk } = generateSigningKey()
  await writePublic(files, [publicJwk, ...jwks])
  await replaceFile(files.signing, keyFileContent({ ...privateJwk, origin: 'local' }), 0o600)
  return `${publicJwk.kid} signs from now on.`
}

async function list(files: Files): Promise<string> {
  const { jwks, signing } = await readKeys(files)
  const free = new Date(statSync(files.signing).mtimeMs + LAST_TOKEN_MS)
  const until = free > new Date() ? `needed until ${free.toISOString()}` : 'no longer needed'
  const lines = jwks.map(({ kid }) => `${kid}  ${kid === signing ? 'signs' : `verifies, ${until}`}`)
  return lines.join('\n')
}

async function retire(files: Files, kid: string): Promise<string> {
  const { jwks, signing } = await readKeys(files)
  if (!jwks.some((jwk) => jwk.kid === kid))
    throw new UsageError('There is no such key: npm run keys -- list')
  if (jwks.length === 1) throw new UsageError('This is the last key: npm run keys -- rotate first.')
  if (kid === signing) throw new UsageError('This key signs: npm run keys -- rotate first.')
  await writePublic(
    files,
    jwks.filter((jwk) => jwk.kid !== kid),
  )
  return `${kid} is retired.`
}

async function run([command, kid, ...more]: readonly string[]): Promise<string> {
  if (command === '--help') return HELP
  if (command === 'rotate' && kid === undefined) return await rotate(await findFiles())
  if (command === 'list' && kid === undefined) return await list(await findFiles())
  if (command === 'retire' && kid !== undefined && more.length === 0) {
    return await retire(await findFiles(), kid)
  }
  throw new UsageError('Unknown command. One of: rotate, list, retire KID')
}

export async function main(args: readonly string[]): Promise<number> {
  try {
    console.log(await run(args))
    return 0
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof StartError)) throw error
    console.error(error.message)
    return 1
  }
}
