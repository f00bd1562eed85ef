import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Firestore } from '@google-cloud/firestore'
import { expect, onTestFinished, test } from 'vitest'
import { type Spawned, spawnFirestore } from './firestore-spawn.ts'
import { connect, temporaryDirectory } from './firestore-target.ts'

const KILLS = process.env['FULL'] === '1' ? 100 : 10
const WRITERS = 8

/** The last value that each writer had acknowledged, over all lives of the server. */
type Ledger = Map<number, number>

/** Writes pairs of documents, each pair in one batch, until the server dies. */
async function write(
  db: Firestore,
  writer: number,
  ledger: Ledger,
  alive: () => boolean,
): Promise<void> {
  for (let n = (ledger.get(writer) ?? 0) + 1; alive(); n += 1) {
    const batch = db.batch()
    batch.set(db.doc(`pairs/left${writer}`), { n, writer, side: 'left' })
    batch.set(db.doc(`pairs/right${writer}`), { n, writer, side: 'right' })
    batch.create(db.doc(`log/${writer}-${n}-${Math.random()}`), { n, writer })
    const acknowledged = await batch.commit().then(
      () => true,
      () => false,
    )
    if (!acknowledged) return
    ledger.set(writer, n)
  }
}

/** One life: writes for a moment, dies, and returns what the writers were promised. */
async function life(server: Spawned, ledger: Ledger, ms: number): Promise<void> {
  const db = connect(server.host)
  let running = true
  const writers = Array.from({ length: WRITERS }, (_, writer) =>
    write(db, writer, ledger, () => running),
  )
  await sleep(ms)
  running = false
  await server.kill()
  await Promise.race([Promise.all(writers), sleep(100)])
  db.terminate().catch(() => undefined)
}

type Stored = { left: Map<number, number>; right: Map<number, number>; log: number }

/** Values of both sides by writer, read through an index, and the number of log entries. */
async function stored(db: Firestore): Promise<Stored> {
  const side = async (name: string) => {
    const found = await db.collection('pairs').where('side', '==', name).orderBy('writer').get()
    return new Map(found.docs.map((one): [number, number] => [one.get('writer'), one.get('n')]))
  }
  const log = (await db.collection('log').count().get()).data().count
  return { left: await side('left'), right: await side('right'), log }
}

test(`nothing acknowledged is lost and no batch torn over ${KILLS} kills under load`, async () => {
  const dataDir = await temporaryDirectory()
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const ledger: Ledger = new Map()
  const torn: unknown[] = []
  const lost: unknown[] = []
  let acknowledged = 0
  for (let kills = 0; kills < KILLS; kills += 1) {
    const server = await spawnFirestore(dataDir)
    const db = connect(server.host)
    const { left, right, log } = await stored(db)
    await db.terminate()
    if (JSON.stringify([...left]) !== JSON.stringify([...right])) torn.push({ left, right })
    const promised = [...ledger].filter(([writer, n]) => (left.get(writer) ?? 0) < n)
    lost.push(...promised)
    if (log < acknowledged) lost.push({ log, acknowledged })
    await life(server, ledger, 150 + Math.random() * 250)
    acknowledged = [...ledger.values()].reduce((sum, n) => sum + n, 0)
  }

  expect(torn).toEqual([])
  expect(lost).toEqual([])
  expect(acknowledged).toBeGreaterThan(KILLS)
}, 1_800_000)
