import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keptTiff, orientationTiff, readExif } from '../../shared/image/exif.ts'

/** A TIFF block with the time in IFD0 itself, as some tools write it. */
function timeTiff(time: string, offset: string, bigEndian = false): Buffer {
  const tiff = Buffer.alloc(100)
  tiff.write(bigEndian ? 'MM\0*\0\0\0\b' : 'II*\0\b\0\0\0', 'latin1')
  const write = (value: number, at: number, bytes: 2 | 4): void => {
    if (bigEndian) tiff.writeUIntBE(value, at, bytes)
    else tiff.writeUIntLE(value, at, bytes)
  }
  const entry = (n: number, tag: number, text: string, at: number): void => {
    write(tag, 10 + 12 * n, 2)
    write(2, 12 + 12 * n, 2)
    write(text.length + 1, 14 + 12 * n, 4)
    write(at, 18 + 12 * n, 4)
    tiff.write(text, at, 'latin1')
  }
  write(2, 8, 2)
  entry(0, 0x9003, time, 40)
  entry(1, 0x9011, offset, 64)
  return tiff
}

describe('the orientation', () => {
  test.for([1, 2, 3, 4, 5, 6, 7, 8].map((orientation) => ({ orientation })))(
    '$orientation is read as it was written, in both byte orders',
    ({ orientation }) => {
      for (const bigEndian of [false, true]) {
        const tiff = orientationTiff(orientation, bigEndian)

        expect(readExif(tiff)).toEqual({ bigEndian, orientation, takenAt: undefined })
        expect(tiff).toHaveLength(26)
      }
    },
  )

  test.for([{ value: 0 }, { value: 9 }, { value: 65_535 }])('$value is none', ({ value }) => {
    expect(readExif(orientationTiff(value, true)).orientation).toBeUndefined()
  })

  test('is kept as what was kept of a block before', () => {
    const kept = keptTiff({ bigEndian: true, orientation: 6 })

    expect(keptTiff(readExif(kept)).equals(kept)).toBe(true)
  })

  test('of a block without one leaves a TIFF block without entries', () => {
    expect(keptTiff({ bigEndian: false }).toString('hex')).toBe('49492a000800000000000000' + '0000')
  })
})

describe('the time', () => {
  test.for([
    { time: '2024:05:06 07:08:09', offset: '+02:00', taken: '2024-05-06T05:08:09.000Z' },
    { time: '2024:05:06 07:08:09', offset: '-09:30', taken: '2024-05-06T16:38:09.000Z' },
    { time: '2024:05:06 07:08:09', offset: '', taken: '2024-05-06T07:08:09.000Z' },
    { time: '2024:05:06 07:08:09', offset: '   :  ', taken: '2024-05-06T07:08:09.000Z' },
    { time: '2024:05:06 07:08:09', offset: '+99:99', taken: undefined },
    { time: '0000:00:00 00:00:00', offset: '', taken: undefined },
    { time: '    :  :     :  :  ', offset: '', taken: undefined },
    { time: '2024:13:01 00:00:00', offset: '', taken: undefined },
    { time: 'yesterday', offset: '', taken: undefined },
  ])('$time at $offset is $taken', ({ time, offset, taken }) => {
    expect(readExif(timeTiff(time, offset)).takenAt?.toISOString()).toBe(taken)
    expect(readExif(timeTiff(time, offset, true)).takenAt?.toISOString()).toBe(taken)
  })
})

test('no bytes make the reader throw', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('II*\0', 'MM\0*', ''),
      fc.uint8Array({ maxLength: 200 }),
      (order, bytes) => {
        const exif = readExif(Buffer.concat([Buffer.from(order, 'latin1'), bytes]))

        expect(exif.bigEndian).toBeTypeOf('boolean')
      },
    ),
    { numRuns: 2000 },
  )
})
