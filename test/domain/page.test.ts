import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsePageToken, printPageToken } from '../../shared/domain/page.ts'

const ids = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/)
const times = fc.integer({ min: 0, max: 4_102_444_800_000 })

test('a page token reads as the position that it was made of', () => {
  fc.assert(
    fc.property(times, ids, (atMs, id) => {
      expect(parsePageToken(printPageToken({ atMs, id }))).toEqual({ atMs, id })
    }),
  )
})

test('no text but a token of ours is read as a position', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
      const position = parsePageToken(text)

      if (position !== undefined) expect(printPageToken(position)).toBe(text)
      else expect(position).toBeUndefined()
    }),
  )
})

const FOREIGN = [
  '',
  'x',
  'MTIz',
  `${printPageToken({ atMs: 1, id: 'a' })}=`,
  'a'.repeat(1000),
  printPageToken({ atMs: Date.UTC(10_000, 0, 1), id: 'a' }),
  printPageToken({ atMs: 1, id: '__a__' }),
]

test.for(FOREIGN)('%s is no page token', (text) => {
  expect(parsePageToken(text)).toBeUndefined()
})
