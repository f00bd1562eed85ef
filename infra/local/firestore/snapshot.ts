import { Connection } from './connection.ts'
import type { Location, StoredDocument } from './document.ts'
import { Indexes } from './indexes.ts'
import type { View } from './store.ts'

/** The state at its creation, read through a connection of its own. */
export class Snapshot implements View {
  readonly connection: Connection
  readonly indexes: Indexes

  constructor(file: string) {
    this.connection = new Connection(file, true)
    this.indexes = new Indexes(this.connection, 'snapshot', () => [])
    this.connection.sqlite.exec('BEGIN')
    this.connection.number('SELECT count(*) FROM meta')
  }

  find(location: Location): StoredDocument | undefined {
    return this.connection.find(location.key)
  }

  byId(document: number): StoredDocument {
    return this.connection.byId(document)
  }

  close(): void {
    this.connection.close()
  }
}
