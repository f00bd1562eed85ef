/** Which files of a data directory are ours: a mistaken `WOWMEDIA_DATA_DIR` may hold somebody else's. */
import { readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'

const HEX = '[0-9a-f]'
const UUID = `${HEX}{8}(-${HEX}{4}){3}-${HEX}{12}`

/** Names by folder, as the local servers, the keys and `npm start` make them. */
const AT_TOP =
  /^((lock|firestore|firestore-lock|storage|storage-lock)\.db(-(journal|wal|shm))?|(running|local-signer)\.json(\.new)?|storage-port)$/
const IN_FOLDERS: readonly (readonly [string, RegExp])[] = [
  ['keys', /^(signing-key\.json|token-secret|jwks\.json)(\.\d+\.new)?$/],
  ['tmp', new RegExp(`^(${UUID}|${HEX}{64})$`)],
]
const BLOB_FOLDER = new RegExp(`^${HEX}{2}$`)
const BLOB = new RegExp(`^${HEX}{62}$`)

/** Names in a folder; none where it is not there. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw error
  })
}

async function matching(folder: string, pattern: RegExp): Promise<readonly string[]> {
  return (await namesIn(folder))
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name))
}

async function blobFolders(dataDir: string): Promise<readonly string[]> {
  return await matching(join(dataDir, 'blobs'), BLOB_FOLDER)
}

/** Paths of all files that Wowmedia keeps below the data directory, and of no other. */
export async function ownFiles(dataDir: string): Promise<readonly string[]> {
  const found = [await matching(dataDir, AT_TOP)]
  for (const [folder, pattern] of IN_FOLDERS) {
    found.push(await matching(join(dataDir, folder), pattern))
  }
  for (const folder of await blobFolders(dataDir)) found.push(await matching(folder, BLOB))
  return found.flat()
}

async function removeEmpty(folder: string): Promise<boolean> {
  return await rmdir(folder).then(
    () => true,
    () => false,
  )
}

/** Removes the files, then each folder that is empty by then; false where the directory holds something else. */
export async function removeOwnFiles(dataDir: string, files: readonly string[]): Promise<boolean> {
  for (const file of files) await rm(file, { force: true, maxRetries: 3 })
  const blobs = await blobFolders(dataDir)
  const folders = [...blobs, ...['blobs', 'tmp', 'keys'].map((name) => join(dataDir, name))]
  for (const folder of folders) await removeEmpty(folder)
  return await removeEmpty(dataDir)
}
