import { randomBytes } from 'node:crypto'
import type { CollectionReference, Firestore } from '@google-cloud/firestore'
import { openRaw, type Raw } from './firestore-raw.ts'
import { connect, type Target } from './firestore-target.ts'

/** What a check works with: a collection nobody else uses. */
export type Place = {
  readonly db: Firestore
  readonly c: CollectionReference
  readonly raw: Raw
  readonly host: string
  /** `projects/…/databases/(default)`. */
  readonly database: string
  /** The full name of a document of `c`. */
  name(id: string): string
  /** True where the target may behave otherwise than the embedded server in this row. */
  allows(row: string): boolean
}

/** One row or a few of the matrix (embedded-servers.md 2); `it` is a sentence of behaviour. */
export type Check = {
  readonly id: string
  readonly it: string
  readonly run: (at: Place) => Promise<void>
}

export type Clients = { place(): Place; close(): Promise<void> }

export function clientsOf(target: Target): Clients {
  const db = connect(target.host)
  const raw = openRaw(target.host)
  const database = 'projects/demo-contract/databases/(default)'
  return {
    place: () => {
      const c = db.collection(`c${randomBytes(8).toString('hex')}`)
      return {
        db,
        c,
        raw,
        host: target.host,
        database,
        name: (id) => `${database}/documents/${c.id}/${id}`,
        allows: (row) => target.allow.has(row),
      }
    },
    close: async () => {
      raw.close()
      await db.terminate()
    },
  }
}

/** Ids in the order of the result. */
export async function ids(query: { get(): Promise<{ docs: { id: string }[] }> }): Promise<string> {
  return (await query.get()).docs.map(({ id }) => id).join(' ')
}
