import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import {
  type TokenStore,
  type Tokens,
  Wowmedia,
  WowmediaError,
} from '../../docs/clients/wowmedia.ts'
import { randomName } from '../app.ts'
import { test } from '../with-app.ts'

const FILE = new Uint8Array(await readFile('test/image/fixtures/camera-iphone-4s.jpg'))
const PASSWORD = 'a long enough secret'

class Memory implements TokenStore {
  tokens: Tokens | undefined
  writes = 0
  failure: Error | undefined

  async read(): Promise<Tokens | undefined> {
    return this.tokens
  }

  async write(tokens: Tokens | undefined): Promise<void> {
    if (this.failure !== undefined) throw this.failure
    this.writes += 1
    this.tokens = tokens
  }

  /** As if the access token had been spoilt. */
  spoil(): void {
    if (this.tokens !== undefined) this.tokens = { ...this.tokens, accessToken: 'a.b.c' }
  }
}

async function signedUp(url: string) {
  const store = new Memory()
  const wowmedia = new Wowmedia(url, store)
  const credentials = { username: randomName(), password: PASSWORD, device_name: 'My phone' }
  await wowmedia.register(credentials)
  return { store, wowmedia, credentials }
}

/** A blob that tells what of it was read. */
class WatchedBlob extends Blob {
  readonly starts: number[] = []

  override slice(start?: number, end?: number, type?: string): Blob {
    this.starts.push(start ?? 0)
    return super.slice(start, end, type)
  }
}

test('the TypeScript client signs up, uploads, lists and signs out', async ({ app }) => {
  const { wowmedia, store, credentials } = await signedUp(app.url)
  const photo = new Blob([FILE], { type: 'image/jpeg' })

  const first = await wowmedia.upload(photo, 'a-key')
  const again = await wowmedia.upload(photo, 'a-key')

  expect(again).toEqual(first)
  expect(await wowmedia.call('GET', '/photos')).toMatchObject({ photos: [first['photo']] })
  await wowmedia.logOut()
  expect(store.tokens).toBeUndefined()
  await wowmedia.logIn(credentials)
  expect(await wowmedia.call('GET', '/account')).toMatchObject({ photo_count: 1 })
})

test('however many calls find the token old, the TypeScript client refreshes once', async ({
  app,
}) => {
  const { wowmedia, store } = await signedUp(app.url)
  const before = store.tokens
  store.spoil()

  const answers = await Promise.all(
    Array.from({ length: 8 }, () => wowmedia.call('GET', '/account')),
  )

  expect(answers).toHaveLength(8)
  expect(store.writes).toBe(2)
  expect(store.tokens?.refreshToken).not.toBe(before?.refreshToken)
})

test('tokens that could not be stored are asked for again, and nobody is signed out', async ({
  app,
}) => {
  const { wowmedia, store } = await signedUp(app.url)
  store.spoil()
  store.failure = new Error('the disk is full')
  await expect(wowmedia.call('GET', '/account')).rejects.toThrow('the disk is full')

  store.failure = undefined

  expect(await wowmedia.call('GET', '/account')).toMatchObject({ photo_count: 0 })
})

test('the TypeScript client forgets its tokens where only a new sign-in helps', async ({ app }) => {
  const { wowmedia, store } = await signedUp(app.url)
  await wowmedia.call('DELETE', '/sessions')

  await expect(wowmedia.call('GET', '/account')).rejects.toMatchObject({ code: 'session_ended' })
  expect(store.tokens).toBeUndefined()
})

test('the TypeScript client goes on with a large upload where it was', async ({ app }) => {
  const { wowmedia } = await signedUp(app.url)
  const photo = new WatchedBlob([FILE, new Uint8Array(700_000)], { type: 'image/jpeg' })
  const json = { content_type: 'image/jpeg', bytes: photo.size, original_name: 'large.jpg' }
  const headers = { 'idempotency-key': 'large' }
  const { upload_url: url } = await wowmedia.call('POST', '/uploads', { json, headers })
  const piece = await fetch(String(url), {
    method: 'PUT',
    headers: { 'content-range': `bytes 0-262143/${photo.size}` },
    body: new Blob([photo]).slice(0, 262_144),
  })
  expect(piece.status).toBe(308)

  const answer = await wowmedia.uploadLarge(photo, 'large.jpg', 'large')

  expect(photo.starts).toEqual([262_144])
  expect(answer).toMatchObject({ photo: { original_name: 'large.jpg', bytes: expect.any(Number) } })
})

test('a refusal has its code and is not repeated', async ({ app }) => {
  const { wowmedia } = await signedUp(app.url)

  const refused = wowmedia.upload(new Blob(['no image']), 'text')

  await expect(refused).rejects.toBeInstanceOf(WowmediaError)
  await expect(refused).rejects.toMatchObject({ status: 415, code: 'unsupported_image_type' })
})
