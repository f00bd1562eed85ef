/** One of several client processes: `node firestore-writer.ts HOST WRITERS` lets so many writers count on the same documents at once. */
import { FieldValue } from '@google-cloud/firestore'
import { connect } from './firestore-target.ts'

const [, , host = '', writers = '1'] = process.argv
const db = connect(host)
const shared = db.doc('counters/shared')

async function count(): Promise<void> {
  await shared.update({ plain: FieldValue.increment(1) })
  await db.runTransaction(async (t) => {
    const document = await t.get(shared)
    t.update(shared, { transactional: document.get('transactional') + 1 })
  })
  await db.runTransaction(async (t) => {
    const { count: limit } = (await t.get(db.collection('passed').count())).data()
    if (limit < 7) t.create(db.collection('passed').doc(), { limit })
  })
}

await Promise.all(Array.from({ length: Number(writers) }, count))
await db.terminate()
