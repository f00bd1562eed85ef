import { describe, expect, it } from 'vitest'
import { crc32c, encodeCrc32c } from '../../shared/store/crc32c.ts'

/** Bit by bit, as the definition says it. */
function slowly(bytes: Uint8Array, before = 0): number {
  let crc = ~before
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

const BLOCK = 4096
const photo = Buffer.alloc(40 * BLOCK)
for (let at = 0, seed = 1; at < photo.length; at += 1) {
  seed = (seed * 48_271) % 2_147_483_647
  photo[at] = seed >> 7
}

describe('the checksum of an object', () => {
  it('is what RFC 3720 lists for CRC-32C', () => {
    expect(crc32c(Buffer.alloc(32)).toString(16)).toBe('8a9136aa')
    expect(crc32c(Buffer.alloc(32, 0xff)).toString(16)).toBe('62a8ab43')
    expect(encodeCrc32c(crc32c(Buffer.from('123456789')))).toBe('4waSgw==')
    expect(crc32c(Buffer.alloc(0))).toBe(0)
  })

  it.each([1, 15, 16, 17, BLOCK - 1, BLOCK, BLOCK + 1, 16 * BLOCK, 16 * BLOCK + 1, 40 * BLOCK - 7])(
    'is right for %i bytes, wherever they lie',
    (length) => {
      for (const from of [0, 1, 7]) {
        const part = photo.subarray(from, from + length)
        expect(crc32c(part)).toBe(slowly(part))
      }
    },
  )

  it('goes on over chunks of any size', () => {
    let crc = 0
    let at = 0
    for (const size of [3, BLOCK, 65_536, 1, 0, 28_672, 20_001]) {
      crc = crc32c(photo.subarray(at, at + size), crc)
      at += size
    }
    expect(crc).toBe(slowly(photo.subarray(0, at)))
  })
})
