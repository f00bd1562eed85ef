import { PassThrough, Readable, type Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { PhotoCleaner } from '../../shared/image/photo-cleaner.ts'
import { heif } from '../image/build-heif.ts'
import { entropy, jpeg, pseudoRandom } from '../image/build-jpeg.ts'
import { chunk, END, header, SIGNATURE } from '../image/build-png.ts'

/** One comparison: both figures in `unit`, `ratio` is ours divided by other. */
export type Row = { name: string; ours: number; other: number; unit: string; ratio: number }

const PHOTO_BYTES = 18 * 1024 * 1024

/** What a socket hands over at once. */
const CHUNK_BYTES = 65_536

/** Pixel data of a PNG as libpng writes it. */
const IDAT_BYTES = 8192

const RUNS = 15

/** The cleaning of an 18 MiB photo beside a PassThrough of the same bytes; medians of 15 runs in turn. */
export async function benchImage(): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, photo] of [
    ['JPEG', jpeg(entropy(PHOTO_BYTES))],
    ['PNG', largePng()],
    ['HEIC', largeHeic()],
  ] as const) {
    rows.push(await compare(`clean an 18 MiB ${name}`, photo))
  }
  return rows
}

async function compare(name: string, photo: Buffer): Promise<Row> {
  const ours: number[] = []
  const other: number[] = []
  for (let run = 0; run < RUNS; run += 1) {
    ours.push(await megabytesPerSecond(photo, new PhotoCleaner({ maxPixels: 200_000_000 })))
    other.push(await megabytesPerSecond(photo, new PassThrough()))
  }
  const row = { name, ours: median(ours), other: median(other), unit: 'MB/s' }
  return { ...row, ratio: row.ours / row.other }
}

async function megabytesPerSecond(photo: Buffer, through: Transform): Promise<number> {
  const pieces: Buffer[] = []
  for (let at = 0; at < photo.length; at += CHUNK_BYTES) {
    pieces.push(photo.subarray(at, at + CHUNK_BYTES))
  }
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() })
  const start = performance.now()
  await pipeline(Readable.from(pieces), through, sink)
  return photo.length / 1000 / (performance.now() - start)
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function largePng(): Buffer {
  const data = pseudoRandom(PHOTO_BYTES)
  const chunks: Buffer[] = []
  for (let at = 0; at < data.length; at += IDAT_BYTES) {
    chunks.push(chunk('IDAT', data.subarray(at, at + IDAT_BYTES)))
  }
  return Buffer.concat([SIGNATURE, header(4000, 3000, 2), ...chunks, END])
}

function largeHeic(): Buffer {
  const media = pseudoRandom(PHOTO_BYTES)
  return heif({ items: [{ id: 1, type: 'hvc1', extents: [[0, media.length]] }], media })
}
