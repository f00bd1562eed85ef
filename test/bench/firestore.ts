import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { FieldValue, type Firestore } from '@google-cloud/firestore'
import { spawnFirestore } from '../contract/firestore-spawn.ts'
import {
  connect,
  openReal,
  realEmulator,
  type Target,
  temporaryDirectory,
} from '../contract/firestore-target.ts'

/** One measured row: our figure, the real emulator's, and how many times better ours is. */
export type Row = { name: string; ours: number; other: number; unit: string; ratio: number }

/** An operation, `parallel` of them at a time, on a collection of one's own; measured `count` times on each server. */
type Load = {
  readonly name: string
  readonly count: number
  readonly parallel: number
  /** Writes what the operation needs. */
  readonly prepare?: (db: Firestore, collection: string) => Promise<void>
  readonly run: (db: Firestore, collection: string, n: number) => Promise<unknown>
}

const WARM_UP = 3
const photo = (n: number) => ({
  owner: `user${n % 7}`,
  state: 'ready',
  bytes: n,
  name: `photo ${n}`,
  created: new Date(1_700_000_000_000 + n),
})

async function fill(db: Firestore, collection: string, count: number): Promise<void> {
  for (let start = 0; start < count; start += 500) {
    const batch = db.batch()
    for (let n = start; n < Math.min(count, start + 500); n += 1)
      batch.set(db.doc(`${collection}/p${n}`), photo(n))
    await batch.commit()
  }
}

async function increment(db: Firestore, path: string): Promise<void> {
  await db.runTransaction(async (t) => {
    const document = await t.get(db.doc(path))
    t.update(db.doc(path), { bytes: (document.get('bytes') ?? 0) + 1 })
  })
}

async function batchOf500(db: Firestore, collection: string, n: number): Promise<void> {
  const batch = db.batch()
  for (let i = 0; i < 500; i += 1) batch.set(db.doc(`${collection}/b${n}-${i}`), photo(i))
  await batch.commit()
}

const some = (db: Firestore, collection: string) => fill(db, collection, 500)
const simple: readonly Omit<Load, 'parallel' | 'count'>[] = [
  {
    name: 'create',
    run: (db, c, n) => db.doc(`${c}/${n}`).create(photo(n)),
  },
  {
    name: 'get',
    prepare: some,
    run: (db, c, n) => db.doc(`${c}/p${n % 500}`).get(),
  },
  {
    name: 'update(increment)',
    prepare: some,
    run: (db, c, n) => db.doc(`${c}/p${n % 500}`).update({ bytes: FieldValue.increment(1) }),
  },
  {
    name: 'transaction get + update',
    prepare: some,
    run: (db, c, n) => increment(db, `${c}/p${n % 500}`),
  },
]

const loads: readonly Load[] = [
  ...simple.flatMap((load) => [
    { ...load, name: `${load.name}, sequential`, count: 100, parallel: 1 },
    { ...load, name: `${load.name}, 32 parallel`, count: 9, parallel: 32 },
  ]),
  { name: 'batch of 500', count: 9, parallel: 1, run: batchOf500 },
  {
    name: 'equality query over 3500 documents',
    count: 15,
    parallel: 1,
    prepare: (db, c) => fill(db, c, 3500),
    run: (db, c, n) =>
      db
        .collection(c)
        .where('owner', '==', `user${n % 7}`)
        .get(),
  },
  {
    name: 'newest 20 of one owner over 3500',
    count: 30,
    parallel: 1,
    prepare: (db, c) => fill(db, c, 3500),
    run: (db, c, n) =>
      db
        .collection(c)
        .where('owner', '==', `user${n % 7}`)
        .orderBy('created', 'desc')
        .limit(20)
        .get(),
  },
  {
    name: 'count over 3000',
    count: 20,
    parallel: 1,
    prepare: (db, c) => fill(db, c, 3000),
    run: (db, c) => db.collection(c).count().get(),
  },
  {
    name: 'all of 1000 documents',
    count: 15,
    parallel: 1,
    prepare: (db, c) => fill(db, c, 1000),
    run: (db, c) => db.collection(c).get(),
  },
]

/** Operations a second in one burst: the one operation itself, or six for each that runs at a time. */
async function rate(db: Firestore, collection: string, load: Load, round: number): Promise<number> {
  const size = load.parallel === 1 ? 1 : load.parallel * 6
  let next = round * size
  const end = next + size
  const worker = async () => {
    while (next < end) {
      next += 1
      await load.run(db, collection, next - 1)
    }
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: load.parallel }, worker))
  return (size * 1000) / (performance.now() - start)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function row(name: string, ours: number, other: number, unit: string, lessIsBetter = false): Row {
  const digits = (value: number) => Number(value.toPrecision(3))
  const ratio = lessIsBetter ? other / ours : ours / other
  return { name, ours: digits(ours), other: digits(other), unit, ratio: digits(ratio) }
}

/** Both servers in turn, burst by burst, so that a busy machine slows both alike. */
async function compare(ours: Firestore, theirs: Firestore, load: Load): Promise<Row> {
  const collection = `bench-${randomBytes(4).toString('hex')}`
  const rates: { own: number[]; other: number[] } = { own: [], other: [] }
  for (const db of [ours, theirs]) await load.prepare?.(db, collection)
  for (let round = 0; round < WARM_UP; round += 1) {
    await rate(ours, collection, load, load.count + round)
    await rate(theirs, collection, load, load.count + round)
  }
  for (let round = 0; round < load.count; round += 1) {
    const turns = [
      async () => rates.own.push(await rate(ours, collection, load, round)),
      async () => rates.other.push(await rate(theirs, collection, load, round)),
    ]
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn()
  }
  return row(load.name, median(rates.own), median(rates.other), 'ops/s')
}

/** Milliseconds for 10 transactions that all increment one document. */
async function contended(db: Firestore): Promise<number> {
  const path = `bench-contended/${randomBytes(4).toString('hex')}`
  await db.doc(path).set({ bytes: 0 })
  const start = performance.now()
  await Promise.allSettled(Array.from({ length: 10 }, () => increment(db, path)))
  return performance.now() - start
}

/** In a process of its own, as the emulator is. */
async function openOwn(compiled: string): Promise<Target> {
  const directory = await temporaryDirectory()
  const { host, kill } = await spawnFirestore(directory, 0, compiled)
  const close = async () => {
    await kill()
    await rm(directory, { recursive: true, force: true })
  }
  return { name: 'embedded', host, allow: new Set(), close }
}

async function opened(open: () => Promise<Target>): Promise<{ target: Target; ms: number }> {
  const start = performance.now()
  const target = await open()
  return { target, ms: performance.now() - start }
}

const STARTS = 5

/** Milliseconds of a start before which nothing was compiled, and the median of those after it. */
async function starts(): Promise<{ first: number; again: number }> {
  const compiled = await temporaryDirectory()
  const start = async () => {
    const { target, ms } = await opened(() => openOwn(compiled))
    // What was compiled is written before the first answer.
    const db = connect(target.host)
    await db.doc('bench/up').get()
    await db.terminate()
    await target.close()
    return ms
  }
  const first = await start()
  const again: number[] = []
  for (let round = 0; round < STARTS; round += 1) again.push(await start())
  await rm(compiled, { recursive: true, force: true })
  return { first, again: median(again) }
}

/**
 * Every row of embedded-servers.md 4 on the embedded server and the real emulator, side by side.
 * Without the real emulator there is nothing to compare with: throws with the reason.
 */
export async function benchFirestore(): Promise<Row[]> {
  const real = realEmulator()
  if (!('jar' in real)) throw new Error(`real emulator: ${real.reason}`)
  const { first, again } = await starts()
  const compiled = await temporaryDirectory()
  const ours = await openOwn(compiled)
  const theirs = await opened(() => openReal(real.jar))
  const [own, other] = [connect(ours.host), connect(theirs.target.host)]
  const rows: Row[] = []
  for (const load of loads) rows.push(await compare(own, other, load))
  const [mine, its] = [await contended(own), await contended(other)]
  rows.push(row('10 contended transactions', mine, its, 'ms', true))
  rows.push(row('start', again, theirs.ms, 'ms', true))
  rows.push(row('first start after the sources changed', first, theirs.ms, 'ms', true))
  await Promise.all([own.terminate(), other.terminate()])
  await Promise.all([ours.close(), theirs.target.close()])
  await rm(compiled, { recursive: true, force: true })
  return rows
}
