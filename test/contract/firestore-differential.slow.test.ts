import type { Firestore } from '@google-cloud/firestore'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answer, randomDocument, randomQuery } from './firestore-differential.ts'
import { outcome, randomWrites } from './firestore-random-writes.ts'
import { connect, openEmbedded, openReal, realEmulator, type Target } from './firestore-target.ts'

const SEED = 20_261_124
const COUNT = process.env['FULL'] === '1' ? 3000 : 150
const PARALLEL = 16
const real = realEmulator()

type Ask<T> = (db: Firestore, question: T, n: number) => Promise<string>

/** Asks both servers everything; what they answer differently. */
async function differences<T>(
  both: readonly Firestore[],
  questions: T[],
  ask: Ask<T>,
): Promise<string[]> {
  const found: string[] = []
  const work = async () => {
    for (let question = questions.shift(); question !== undefined; question = questions.shift()) {
      const [asked, n] = [question, questions.length]
      const [own, other] = await Promise.all(both.map((db) => ask(db, asked, n)))
      if (own !== other) found.push(JSON.stringify({ asked, own, other }))
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  return found
}

function compared(jar: string): void {
  let targets: readonly Target[] = []
  let both: readonly Firestore[] = []

  beforeAll(async () => {
    targets = await Promise.all([openEmbedded(), openReal(jar)])
    both = targets.map(({ host }) => connect(host))
  }, 60_000)

  afterAll(async () => {
    await Promise.all(both.map((db) => db.terminate()))
    await Promise.all(targets.map((target) => target.close()))
  }, 60_000)

  test(`${COUNT} random queries find the same`, { timeout: 900_000 }, async () => {
    const documents = fc.sample(randomDocument, { numRuns: 40, seed: SEED })
    for (const db of both) {
      const batch = db.batch()
      for (const [n, document] of documents.entries())
        batch.set(db.doc(`random/d${String(n).padStart(2, '0')}`), document)
      await batch.commit()
    }
    const queries = fc.sample(randomQuery, { numRuns: COUNT, seed: SEED })

    const found = await differences(both, queries, (db, query) => answer(db, 'random', query))

    expect(found).toEqual([])
  })

  test(`${COUNT} random series of writes end alike`, { timeout: 900_000 }, async () => {
    const series = fc.sample(randomWrites, { numRuns: COUNT, seed: SEED })

    const found = await differences(both, series, (db, writes, n) =>
      outcome(db, `writes/d${n}`, writes),
    )

    expect(found).toEqual([])
  })
}

describe('beside the real emulator', () => {
  if ('jar' in real) compared(real.jar)
  else
    test('nothing can be compared', () => {
      process.stderr.write(`real emulator skipped: ${real.reason}\n`)
      expect(real.reason).not.toBe('')
    })
})
