import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answer, randomDocument, randomQuery } from './firestore-differential.ts'
import { connect, openEmbedded, openReal, realEmulator } from './firestore-target.ts'

const SEED = 20_261_124
const QUERIES = process.env['FULL'] === '1' ? 3000 : 300
const real = realEmulator()

test(`${QUERIES} random queries find on the embedded server what they find on the real emulator`, async () => {
  if (!('jar' in real)) {
    process.stderr.write(`real emulator skipped: ${real.reason}\n`)
    expect(real.reason).not.toBe('')
    return
  }
  const targets = await Promise.all([openEmbedded(), openReal(real.jar)])
  const [ours, theirs] = targets.map(({ host }) => connect(host))
  if (ours === undefined || theirs === undefined) throw new Error('no clients')
  const documents = fc.sample(randomDocument, { numRuns: 40, seed: SEED })
  for (const db of [ours, theirs]) {
    const batch = db.batch()
    for (const [n, document] of documents.entries())
      batch.set(db.doc(`random/d${String(n).padStart(2, '0')}`), document)
    await batch.commit()
  }
  const queries = fc.sample(randomQuery, { numRuns: QUERIES, seed: SEED })
  const differences: unknown[] = []
  const compare = async () => {
    for (let query = queries.shift(); query !== undefined; query = queries.shift()) {
      const [own, other] = await Promise.all([
        answer(ours, 'random', query),
        answer(theirs, 'random', query),
      ])
      if (own !== other) differences.push({ query, own, other })
    }
  }
  await Promise.all(Array.from({ length: 16 }, compare))
  await Promise.all([ours.terminate(), theirs.terminate()])
  await Promise.all(targets.map((target) => target.close()))

  expect(differences.map((difference) => JSON.stringify(difference))).toEqual([])
}, 600_000)
