import { Filter } from '@google-cloud/firestore'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, openEmbedded, type Target } from './firestore-target.ts'

/** More fields than a kind of document may have indexes. */
const FIELDS = 90
/** How many indexes a kind of document has at most. */
const MOST_INDEXES = 64

let target: Target
beforeAll(async () => {
  target = await openEmbedded()
})
afterAll(() => target.close())

test('a query finds all, although the indexes that it needs take the places of others', async () => {
  const db = connect(target.host)
  const collection = db.collection('many')
  const fields = Array.from({ length: FIELDS }, (_, n) => `f${n}`)
  await collection.doc('all').set(Object.fromEntries(fields.map((name) => [name, 1])))
  const batch = db.batch()
  for (const name of fields) batch.set(collection.doc(name), { [name]: 2 })
  await batch.commit()
  for (const name of fields) await collection.where(name, '==', 1).get()

  // Beginning with an index that is next to give way: each new one that is needed must take another's place.
  const oldest = fields.slice(FIELDS - MOST_INDEXES)
  for (const first of oldest.slice(0, 5)) {
    const group = [first, ...fields.slice(0, 10)]
    const any = Filter.or(...group.map((name) => Filter.where(name, '==', 2)))
    const found = await collection.where(any).get()
    expect(found.docs.map(({ id }) => id)).toEqual(group.toSorted())
  }
  await db.terminate()
})
