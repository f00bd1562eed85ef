import { AggregateField, FieldPath, type Firestore } from '@google-cloud/firestore'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { code } from './firestore-raw.ts'
import { connect, openEmbedded, type Target } from './firestore-target.ts'

const indexes = {
  indexes: [
    {
      collectionGroup: 'photos',
      queryScope: 'COLLECTION',
      fields: [
        { fieldPath: 'owner', order: 'ASCENDING' },
        { fieldPath: 'state', order: 'ASCENDING' },
        { fieldPath: 'created', order: 'DESCENDING' },
      ],
    },
    {
      collectionGroup: 'photos',
      queryScope: 'COLLECTION',
      fields: [
        { fieldPath: 'tag', order: 'ASCENDING' },
        { fieldPath: 'created', order: 'DESCENDING' },
      ],
    },
  ],
  fieldOverrides: [
    {
      collectionGroup: 'photos',
      fieldPath: 'shared',
      indexes: [
        { order: 'ASCENDING', queryScope: 'COLLECTION' },
        { order: 'ASCENDING', queryScope: 'COLLECTION_GROUP' },
      ],
    },
    { collectionGroup: 'photos', fieldPath: 'hot', indexes: [] },
  ],
}

type Query = (db: Firestore) => FirebaseFirestore.Query

const served: readonly { what: string; query: Query }[] = [
  { what: 'a plain collection', query: (db) => db.collection('photos') },
  {
    what: 'equalities alone',
    query: (db) => db.collection('photos').where('a', '==', 1).where('b', '==', 2),
  },
  { what: 'one order', query: (db) => db.collection('photos').orderBy('n', 'desc') },
  {
    what: 'the listed composite, in whatever order its equalities are written',
    query: (db) =>
      db
        .collection('photos')
        .where('state', '==', 'x')
        .where('owner', '==', 'u')
        .orderBy('created', 'desc'),
  },
  {
    what: 'two composites that end alike, merged',
    query: (db) =>
      db
        .collection('photos')
        .where('state', '==', 'x')
        .where('owner', '==', 'u')
        .where('tag', '==', 't')
        .orderBy('created', 'desc'),
  },
  { what: 'a whole group', query: (db) => db.collectionGroup('photos') },
  {
    what: 'a group by an exempted field',
    query: (db) => db.collectionGroup('photos').where('shared', '==', true),
  },
]

const refused: readonly { what: string; query: Query }[] = [
  {
    what: 'the opposite direction',
    query: (db) => db.collection('photos').where('tag', '==', 't').orderBy('created', 'asc'),
  },
  { what: 'two orders', query: (db) => db.collection('photos').orderBy('n').orderBy('m') },
  {
    what: 'an equality with a range',
    query: (db) => db.collection('photos').where('a', '==', 1).where('n', '>', 1),
  },
  {
    what: 'a part of a composite',
    query: (db) => db.collection('photos').where('owner', '==', 'u').orderBy('created', 'desc'),
  },
  {
    what: 'names against the order',
    query: (db) => db.collection('photos').orderBy('n').orderBy(FieldPath.documentId(), 'desc'),
  },
  {
    what: 'a group by another field',
    query: (db) => db.collectionGroup('photos').where('a', '==', 1),
  },
  {
    what: 'a field without its index',
    query: (db) => db.collection('photos').where('hot', '==', 1),
  },
]

describe('with a list of indexes', () => {
  let target: Target
  let db: Firestore

  beforeAll(async () => {
    target = await openEmbedded({ indexes })
    db = connect(target.host)
    await db
      .doc('photos/a')
      .set({ owner: 'u', state: 'x', tag: 't', created: 1, shared: true, n: 1 })
  })

  afterAll(async () => {
    await db.terminate()
    await target.close()
  })

  test.for(served)('$what is served', async ({ query }) => {
    expect(await code(query(db).get())).toBe('OK')
  })

  test.for(refused)('$what is refused as production would', async ({ query }) => {
    expect(await code(query(db).get())).toBe('FAILED_PRECONDITION')
  })

  test('an average needs its field in the index, too', async () => {
    const query = db.collection('photos').where('a', '==', 1)

    expect(await code(query.count().get())).toBe('OK')
    expect(await code(query.aggregate({ s: AggregateField.average('n') }).get())).toBe(
      'FAILED_PRECONDITION',
    )
  })
})
