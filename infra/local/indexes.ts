import { readFile } from 'node:fs/promises'

/** The repository's `firestore.indexes.json`, so that a query that production would refuse fails locally too. */
export async function localIndexes(): Promise<unknown> {
  const file = new URL('../../firestore.indexes.json', import.meta.url)
  const parsed: unknown = JSON.parse(await readFile(file, 'utf8'))
  return parsed
}
