import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { quarantineName } from '../../shared/domain/photo.ts'
import { directUploadDocument } from '../../shared/store/direct-uploads.ts'
import { createPendingPhoto } from '../../shared/store/pending-photos.ts'
import { sweep } from '../../shared/store/sweep.ts'
import { type Answer, type App, call, registerUser, text, type User } from '../app.ts'
import { photos } from '../image/corpus.ts'
import { latitudes, tellingWords } from '../image/traces.ts'
import { BYTES, inMinutes, plantObject } from './planted.ts'
import {
  NOTHING_STORED,
  onlyStored,
  photoOf,
  pngOf,
  type StoredApp,
  sha256,
  storedBytes,
  storedFor,
  test,
  upload,
  userIdOf,
} from './stored-app.ts'

async function announce(
  app: Pick<App, 'url'>,
  user: User,
  json: Readonly<Record<string, unknown>>,
  key?: string,
): Promise<Answer> {
  const headers = key === undefined ? {} : { 'idempotency-key': key }
  return await call(app.url, 'POST', '/uploads', { token: user.accessToken, json, headers })
}

async function complete(app: Pick<App, 'url'>, user: User, id: string): Promise<Answer> {
  return await call(app.url, 'POST', `/uploads/${id}/complete`, { token: user.accessToken })
}

async function put(url: string, bytes: Buffer, headers: Record<string, string> = {}) {
  return await fetch(url, { method: 'PUT', body: new Uint8Array(bytes), headers })
}

/** Announces and sends a photo; the id of the upload. */
async function sent(app: StoredApp, user: User, photo: Buffer, more = {}): Promise<string> {
  const announced = { content_type: 'image/png', bytes: photo.length, ...more }
  const answer = await announce(app, user, announced)
  const response = await put(text(answer, 'upload_url'), photo)
  if (response.status !== 200) throw new Error(await response.text())
  return text(answer, 'id')
}

test('a photo that was sent into the bucket is cleaned and recorded like any other', async ({
  app,
  user,
}) => {
  const { file } = photos.find(({ name }) => name === 'camera-iphone-4s.jpg') ?? { file: '' }
  const photo = await readFile(file)
  const hash = { sha256: sha256(photo), original_name: '../beach.jpg' }
  const id = await sent(app, user, photo, hash)

  const answer = await complete(app, user, id)

  const made = photoOf(answer)
  const { bytes } = await storedBytes(app, user, made['id'])
  expect(answer.status).toBe(201)
  expect(answer.headers.get('location')).toMatch(new RegExp(`/photos/${made['id']}$`))
  expect(made).toMatchObject({
    content_type: 'image/jpeg',
    original_name: 'beach.jpg',
    sha256: sha256(bytes),
    taken_at: '2012-12-23T14:47:49.000Z',
  })
  expect([latitudes(bytes), tellingWords(bytes)]).toEqual([[], []])
  expect(await storedFor(app, user)).toEqual({ ...onlyStored(user, [made]), direct_uploads: [id] })
})

test('it may be sent in pieces, and says where it stands; before the last byte it is incomplete', async ({
  app,
  user,
}) => {
  const photo = pngOf(600_000)
  const piece = 256 * 1024
  const answer = await announce(app, user, { content_type: 'image/png', bytes: photo.length })
  const url = text(answer, 'upload_url')
  const id = text(answer, 'id')

  const nothing = await complete(app, user, id)
  const first = await put(url, photo.subarray(0, piece), {
    'content-range': `bytes 0-${piece - 1}/${photo.length}`,
  })
  const asked = await put(url, Buffer.alloc(0), { 'content-range': `bytes */${photo.length}` })
  const partial = await complete(app, user, id)
  const rest = await put(url, photo.subarray(piece), {
    'content-range': `bytes ${piece}-${photo.length - 1}/${photo.length}`,
  })
  const whole = await complete(app, user, id)

  expect([nothing.status, nothing.body['code']]).toEqual([409, 'upload_incomplete'])
  expect(nothing.headers.get('retry-after')).toMatch(/^\d+$/)
  expect([first.status, asked.status, rest.status]).toEqual([308, 308, 200])
  expect(asked.headers.get('range')).toBe(`bytes=0-${piece - 1}`)
  expect([partial.status, partial.body['retryable']]).toEqual([409, true])
  expect([whole.status, photoOf(whole)['sha256']]).toEqual([201, sha256(photo)])
})

test('a repeated complete gives the same photo, until that is deleted', async ({ app, user }) => {
  const id = await sent(app, user, pngOf(700))
  const first = await complete(app, user, id)

  const again = await complete(app, user, id)
  await call(app.url, 'DELETE', `/photos/${photoOf(first)['id']}`, { token: user.accessToken })
  const deleted = await complete(app, user, id)

  expect([again.status, again.body]).toEqual([200, first.body])
  expect([deleted.status, deleted.body['code']]).toEqual([404, 'not_found'])
})

test('parallel completes make one photo; the others get it, or a 409 to repeat', async ({
  app,
  user,
}) => {
  const id = await sent(app, user, pngOf(300_000))

  const answers = await Promise.all(Array.from({ length: 8 }, () => complete(app, user, id)))

  const made = answers.find(({ status }) => status === 201)
  for (const { status, body } of answers) {
    if (status === 409) expect(body['retryable']).toBe(true)
    else expect(body).toEqual(made?.body)
  }
  const stored = await storedFor(app, user)
  expect(stored.photos).toHaveLength(1)
  expect(stored.objects).toHaveLength(1)
})

test('another hash than declared is a mismatch, and the upload is over', async ({ app, user }) => {
  const id = await sent(app, user, pngOf(800), { sha256: 'a'.repeat(64) })

  const refused = await complete(app, user, id)
  const again = await complete(app, user, id)

  expect([refused.status, refused.body['code'], again.status]).toEqual([
    422,
    'upload_mismatch',
    404,
  ])
  expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
})

test('other bytes than declared are a mismatch, whatever the bucket let through', async ({
  app,
  user,
}) => {
  const answer = await announce(app, user, { content_type: 'image/png', bytes: BYTES + 1 })
  const id = text(answer, 'id')
  await plantObject(app, quarantineName(userIdOf(user), id))

  const refused = await complete(app, user, id)

  expect([refused.status, refused.body['code']]).toEqual([422, 'upload_mismatch'])
  expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
})

const REFUSED = [
  { what: 'damage', bytes: pngOf(900).subarray(0, 800), code: 'image_damaged' },
  { what: 'HTML', bytes: Buffer.alloc(800, '<html>'), code: 'unsupported_image_type' },
]

test.for(REFUSED)(
  '$what is refused as everywhere, and nothing of it stays',
  async ({ bytes, code }, { app, user }) => {
    const id = await sent(app, user, bytes)

    const refused = await complete(app, user, id)
    const again = await complete(app, user, id)

    expect(refused.body['code']).toBe(code)
    expect([again.status, again.body['code']]).toEqual([404, 'not_found'])
    expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
  },
)

test('another of the six types than declared is what the bytes say', async ({ app, user }) => {
  const id = await sent(app, user, pngOf(700), { content_type: 'image/heic' })

  const answer = await complete(app, user, id)

  expect([answer.status, photoOf(answer)['content_type']]).toEqual([201, 'image/png'])
})

test('a session that the app cancelled is over', async ({ app, user }) => {
  const answer = await announce(app, user, { content_type: 'image/png', bytes: 700 })
  await fetch(text(answer, 'upload_url'), { method: 'DELETE' })

  const refused = await complete(app, user, text(answer, 'id'))

  expect([refused.status, refused.body['code']]).toEqual([404, 'not_found'])
  expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
})

test('an expired upload is not found, and the sweep empties its quarantine', async ({
  app,
  user,
}) => {
  const id = await sent(app, user, pngOf(700))
  const record = directUploadDocument(app.database, id)
  await record.update({ expires_at: inMinutes(-1), remove_after: inMinutes(-1) })

  const refused = await complete(app, user, id)
  await sweep({ ...app, isLate: () => false })

  expect([refused.status, refused.body['code']]).toEqual([404, 'not_found'])
  expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
})

test('another device of the user may complete it, another user may not', async ({ app, user }) => {
  const id = await sent(app, user, pngOf(700))
  const { username, password } = user
  const login = await call(app.url, 'POST', '/login', { json: { username, password } })
  const device = { ...user, accessToken: text(login, 'access_token') }

  const foreign = await complete(app, await registerUser(app.url), id)
  const own = await complete(app, device, id)

  expect([foreign.status, foreign.body['code'], own.status]).toEqual([404, 'not_found', 201])
})

test('a complete that died is taken over after 30 s, not before', async ({ app, user }) => {
  const id = await sent(app, user, pngOf(700))
  const record = directUploadDocument(app.database, id)
  const ownerId = userIdOf(user)
  const dead = { id: `dead-${id}`, ownerId, objectName: `photos/${ownerId}/dead-${id}` }
  const removeAfter = inMinutes(14)
  await app.database.commit((write) => {
    const pending = { ...dead, reservedBytes: 700, removeAfter, directUploadId: id }
    createPendingPhoto(write, app.database, pending)
    write.update(record, { photo_id: dead.id, lease_until: inMinutes(0.3) })
  })

  const early = await complete(app, user, id)
  await record.update({ lease_until: inMinutes(-0.01) })
  const late = await complete(app, user, id)

  const stored = await storedFor(app, user)
  expect([early.status, early.body['retryable'], late.status]).toEqual([409, true, 201])
  expect(stored).toEqual({
    ...onlyStored(user, [photoOf(late)]),
    direct_uploads: [id],
    orphans: [dead.id],
  })
})

test('the same key and body give the same answer while the upload is open', async ({
  app,
  user,
}) => {
  const body = { content_type: 'image/png', bytes: 700 }
  const first = await announce(app, user, body, 'k')

  const again = await announce(app, user, body, 'k')
  const other = await announce(app, user, { ...body, bytes: 701 }, 'k')
  await put(text(first, 'upload_url'), pngOf(700))
  await complete(app, user, text(first, 'id'))
  const later = await announce(app, user, body, 'k')

  expect([again.status, again.body]).toEqual([200, first.body])
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect([other.status, other.body['code']]).toEqual([422, 'idempotency_key_reused'])
  expect(later.status).toBe(201)
  expect(later.body['id']).not.toBe(first.body['id'])
})

const ANNOUNCED = [
  { json: { content_type: 'image/bmp', bytes: 10 }, status: 415, code: 'unsupported_image_type' },
  {
    json: { content_type: 'image/png', bytes: 300_000_000 },
    status: 413,
    code: 'photo_too_large',
  },
  { json: { content_type: 'image/png', bytes: 0 }, status: 400, code: 'invalid_request' },
  { json: { content_type: 'image/png' }, status: 400, code: 'invalid_request' },
  {
    json: { content_type: 'image/png', bytes: 10, sha256: 'ABC' },
    status: 400,
    code: 'invalid_request',
  },
]

test.for(ANNOUNCED)(
  '$json is refused with $code',
  async ({ json, status, code }, { app, user }) => {
    const answer = await announce(app, user, json)

    expect([answer.status, answer.body['code']]).toEqual([status, code])
    expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
  },
)

test('quarantine is named by us, and the session takes no more than was declared', async ({
  app,
  user,
}) => {
  const answer = await announce(app, user, { content_type: 'image/png', bytes: 700 })

  const tooMuch = await put(text(answer, 'upload_url'), pngOf(701))
  const id = text(answer, 'id')
  const state = await app.files.find(quarantineName(userIdOf(user), id))

  expect(tooMuch.status).toBe(400)
  expect(state).toBeUndefined()
})

test('a direct upload counts against the same limit as POST /file', async ({ app }) => {
  const limited = await registerUser(app.url)
  const first = await announce(app, limited, { content_type: 'image/png', bytes: 700 })
  const second = await upload(app, limited, pngOf(700))

  const left = [first, second].map(({ headers }) => headers.get('ratelimit')?.match(/r=(\d+)/)?.[1])

  expect(left).toEqual(['99999', '99998'])
})
