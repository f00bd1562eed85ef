import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { call, registerUser } from '../app.ts'
import {
  inParallel,
  listed,
  NOTHING_STORED,
  onlyStored,
  photoOf,
  pngOf,
  type StoredApp,
  startStoredApp,
  storedFor,
  upload,
} from './stored-app.ts'

const QUOTA = 1_000_000

describe('with a quota of 1,000,000 bytes and 4 photos', () => {
  let app: StoredApp
  beforeAll(async () => {
    app = await startStoredApp({ PHOTO_QUOTA_BYTES: String(QUOTA), PHOTO_QUOTA_COUNT: '4' })
  })
  afterAll(() => app.close())

  test('UP-15 parallel uploads at the edge never exceed the bytes, and as many as fit are accepted', async () => {
    const user = await registerUser(app.url)
    await upload(app, user, pngOf(400_000))

    const answers = await inParallel(Array.from({ length: 12 }), 12, () =>
      upload(app, user, pngOf(250_000)),
    )

    const refused = answers.filter(({ status }) => status !== 201)
    const photos = await listed(app, user)
    expect(photos).toHaveLength(3)
    expect(new Set(refused.map(({ body }) => body['code']))).toEqual(new Set(['quota_exceeded']))
    expect(await storedFor(app, user)).toEqual(onlyStored(user, photos))
  })

  test('parallel uploads never exceed the number of photos', async () => {
    const user = await registerUser(app.url)

    const answers = await inParallel(Array.from({ length: 12 }), 12, () =>
      upload(app, user, pngOf(1000)),
    )

    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
    expect(statuses).toEqual([...Array(4).fill(201), ...Array(8).fill(409)])
    expect(await listed(app, user)).toHaveLength(4)
  })

  test('a photo of exactly what is left fits, in a form too; one byte more does not', async () => {
    const user = await registerUser(app.url)
    await upload(app, user, pngOf(400_000))

    const larger = await upload(app, user, pngOf(600_001))
    const exact = await upload(app, user, pngOf(600_000))

    expect([larger.status, larger.body['code']]).toEqual([409, 'quota_exceeded'])
    expect(exact.status).toBe(201)
    const stored = await storedFor(app, user)
    expect(stored.usage).toMatchObject({ photo_bytes: QUOTA, reserved_bytes: 0 })
  })

  test('what a refused photo held is free at once', async () => {
    const user = await registerUser(app.url)
    for (let n = 0; n < 3; n += 1) await upload(app, user, pngOf(900_000).subarray(0, -1))

    expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
    expect((await upload(app, user, pngOf(900_000))).status).toBe(201)
  })

  test('a deleted photo gives back what it took', async () => {
    const user = await registerUser(app.url)
    const first = await upload(app, user, pngOf(900_000))
    await call(app.url, 'DELETE', `/photos/${photoOf(first)['id']}`, { token: user.accessToken })

    const second = await upload(app, user, pngOf(900_000))

    expect(second.status).toBe(201)
    expect(await storedFor(app, user)).toEqual(onlyStored(user, [photoOf(second)]))
  })

  test('an upload of unknown length holds what is left, and no more', async () => {
    const user = await registerUser(app.url)
    const send = (bytes: number) =>
      fetch(`${app.url}/file`, {
        method: 'POST',
        headers: { authorization: `Bearer ${user.accessToken}`, 'content-type': 'image/png' },
        body: new Blob([new Uint8Array(pngOf(bytes))]).stream(),
        duplex: 'half',
      })

    const larger = await send(QUOTA + 1)
    const exact = await send(QUOTA)

    expect([larger.status, exact.status]).toEqual([409, 201])
  })

  test('the bytes of a direct upload are held from its start', async () => {
    const user = await registerUser(app.url)
    const announce = (bytes: number) =>
      call(app.url, 'POST', '/uploads', {
        token: user.accessToken,
        json: { content_type: 'image/png', bytes },
      })

    const first = await announce(700_000)
    const second = await announce(300_001)

    expect([first.status, second.status]).toEqual([201, 409])
    expect((await storedFor(app, user)).usage).toMatchObject({
      photo_bytes: 0,
      reserved_bytes: 700_000,
      reserved_count: 1,
    })
  })
})
