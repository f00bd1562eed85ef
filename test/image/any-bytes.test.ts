import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProblemError } from '../../shared/domain/problem.ts'
import { type Cleaned, clean, cleanPieces } from './clean.ts'
import { photos } from './corpus.ts'

/** `FULL=1` runs the whole count, else a tenth. */
const MUTATIONS = process.env['FULL'] === '1' ? 10_000 : 1000

const CODES = [
  'file_empty',
  'unsupported_image_type',
  'image_damaged',
  'photo_too_many_pixels',
] as const

const originals = photos.map(({ name, file }) => ({ name, bytes: readFileSync(file) }))
const anyOriginal = fc.constantFrom(...originals)

test('how a photo is cut into chunks changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyOriginal,
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }),
      async ({ bytes }, cuts) => {
        const at = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length]
        at.sort((a, b) => a - b)
        const pieces = at.slice(1).map((end, n) => bytes.subarray(at[n], end))

        const inPieces = await cleanPieces(pieces)
        const whole = await cleanPieces([bytes])

        expect(inPieces.output.equals(whole.output)).toBe(true)
        expect(inPieces.facts).toEqual(whole.facts)
      },
    ),
    { numRuns: 300 },
  )
})

test.for(originals)('$name byte by byte is as in one chunk', async ({ bytes }) => {
  const small = bytes.subarray(0, 100_000)

  const [byteByByte, whole] = await Promise.all([clean(small, 1), clean(small)])

  expect(byteByByte.output.equals(whole.output)).toBe(true)
  expect(byteByByte.facts).toEqual(whole.facts)
})

/** One change to a file: a byte, a number of 32 bits, a piece that is missing, doubled or moved. */
const anyChange = fc.record({
  kind: fc.constantFrom('byte', 'number', 'missing', 'doubled', 'moved'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  to: fc.double({ min: 0, max: 1, noNaN: true }),
  value: fc.oneof(fc.constantFrom(0, 1, 0xff, 0x7fffffff, 0xffffffff), fc.nat(0xffffffff)),
})

type Change = typeof anyChange extends fc.Arbitrary<infer T> ? T : never

function changed(file: Buffer, change: Change): Buffer {
  const at = Math.floor(change.at * Math.max(file.length - 4, 0))
  const to = Math.floor(change.to * file.length)
  const piece = file.subarray(Math.min(at, to), Math.max(at, to))
  const copy = Buffer.from(file)
  switch (change.kind) {
    case 'byte':
      copy[at] = change.value
      return copy
    case 'number':
      if (copy.length >= 4) copy.writeUInt32BE(change.value, at)
      return copy
    case 'missing':
      return Buffer.concat([file.subarray(0, Math.min(at, to)), file.subarray(Math.max(at, to))])
    case 'doubled':
      return Buffer.concat([file.subarray(0, Math.max(at, to)), file.subarray(Math.min(at, to))])
    case 'moved':
      return Buffer.concat([file.subarray(piece.length), piece])
    default:
      return change.kind satisfies never
  }
}

async function outcome(file: Buffer): Promise<Cleaned | ProblemError> {
  try {
    return await clean(file, 4096)
  } catch (error) {
    if (error instanceof ProblemError) return error
    throw error
  }
}

test('no change to a photo makes the cleaner fail in another way than it says', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyOriginal,
      fc.array(anyChange, { minLength: 1, maxLength: 4 }),
      async ({ bytes }, changes) => {
        const file = changes.reduce(changed, bytes)

        const result = await outcome(file)

        if (result instanceof ProblemError) expect(CODES).toContain(result.code)
        else expect(result.output.length).toBeLessThanOrEqual(file.length)
      },
    ),
    { numRuns: MUTATIONS },
  )
}, 300_000)

test('a photo that was accepted after changes is accepted again, and is the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyOriginal,
      fc.array(anyChange, { minLength: 1, maxLength: 2 }),
      async ({ bytes }, changes) => {
        const once = await outcome(changes.reduce(changed, bytes))
        if (once instanceof ProblemError) return

        const twice = await outcome(once.output)

        expect(twice).not.toBeInstanceOf(ProblemError)
        if (!(twice instanceof ProblemError)) expect(twice.output.equals(once.output)).toBe(true)
      },
    ),
    { numRuns: MUTATIONS },
  )
}, 300_000)

test('no bytes after a signature make the cleaner fail in another way than it says', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(
        '\xff\xd8\xff',
        '\x89PNG\r\n\x1a\n',
        'GIF89a',
        'RIFF\xff\0\0\0WEBP',
        '\0\0\0\x10ftypheic',
      ),
      fc.uint8Array({ maxLength: 400 }),
      async (signature, bytes) => {
        const result = await outcome(Buffer.concat([Buffer.from(signature, 'latin1'), bytes]))

        if (result instanceof ProblemError) expect(CODES).toContain(result.code)
      },
    ),
    { numRuns: MUTATIONS },
  )
}, 300_000)
