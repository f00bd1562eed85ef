import fc from 'fast-check'
import { expect, test } from 'vitest'
import { displayName, objectName, type Photo, photoJson } from '../../shared/domain/photo.ts'

const NAMES = [
  { sent: undefined, shown: 'photo' },
  { sent: '', shown: 'photo' },
  { sent: ' \t ', shown: 'photo' },
  { sent: '...', shown: 'photo' },
  { sent: '/', shown: 'photo' },
  { sent: 'beach.jpg', shown: 'beach.jpg' },
  { sent: '../../x', shown: 'x' },
  { sent: 'C:\\fakepath\\beach.jpg', shown: 'beach.jpg' },
  { sent: 'folder/', shown: 'folder' },
  { sent: 'a\r\nb\0c', shown: 'abc' },
  { sent: 'gnp.\u202egpj', shown: 'gnp.gpj' },
  { sent: 'a\u2028b\u2066c', shown: 'abc' },
  { sent: 'Cafe\u0301', shown: 'Caf\u00e9' },
  { sent: '\ud83d', shown: 'photo' },
  { sent: '\u{1f468}\u200d\u{1f469}', shown: '\u{1f468}\u200d\u{1f469}' },
  { sent: '\u00e9'.repeat(200), shown: '\u00e9'.repeat(127) },
]

test.for(NAMES)('$sent is shown as $shown', ({ sent, shown }) => {
  expect(displayName(sent)).toBe(shown)
})

test('whatever is sent, what is shown is short, well formed, and no path', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (sent) => {
      const shown = displayName(sent)

      expect(Buffer.byteLength(shown)).toBeGreaterThan(0)
      expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(255)
      expect(shown).not.toMatch(/[\p{Cc}\p{Cs}/\\\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u)
      expect(shown).not.toMatch(/^\.*$/)
      expect(displayName(shown)).toBe(shown)
    }),
  )
})

test('the name of the object is made of our ids alone', () => {
  expect(objectName('user', 'photo')).toBe('photos/user/photo')
})

const PHOTO: Photo = {
  id: 'id',
  ownerId: 'owner',
  objectName: 'photos/owner/id',
  generation: '1',
  contentType: 'image/png',
  bytes: 10,
  width: 3,
  height: 4,
  sha256: 'ab',
  receivedSha256: 'cd',
  createdAt: new Date('2026-01-02T03:04:05.678Z'),
  originalName: 'beach.png',
  keyId: 'key',
}

test('a photo as callers see it says nothing of owner, object, key or what was received', () => {
  expect(photoJson(PHOTO)).toEqual({
    id: 'id',
    content_type: 'image/png',
    bytes: 10,
    width: 3,
    height: 4,
    sha256: 'ab',
    created_at: '2026-01-02T03:04:05.678Z',
    original_name: 'beach.png',
  })
})

test('a photo says when it was taken, if that is known', () => {
  const takenAt = new Date('2024-05-06T07:08:09Z')

  expect(photoJson({ ...PHOTO, takenAt })).toMatchObject({ taken_at: '2024-05-06T07:08:09.000Z' })
})
