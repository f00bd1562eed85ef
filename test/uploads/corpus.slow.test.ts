import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import { expect } from 'vitest'
import { problemForm } from '../../shared/http/problem.ts'
import { damaged, photos } from '../image/corpus.ts'
import { latitudes, tellingWords } from '../image/traces.ts'
import {
  inParallel,
  NOTHING_STORED,
  onlyStored,
  photoOf,
  sha256,
  storedBytes,
  storedFor,
  test,
  upload,
} from './stored-app.ts'

test('UP-06 each file of the damaged table is refused with its code, and nothing of it is stored', {
  timeout: 120_000,
}, async ({ app, user }) => {
  const answers = await inParallel(damaged, 8, async ({ name, bytes }) => {
    const { status, body } = await upload(app, user, bytes())
    return { name, status, code: body['code'] }
  })

  expect(answers).toEqual(
    damaged.map(({ name, code }) => ({ name, status: problemForm(code).status, code })),
  )
  expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
})

test('UP-09 each photo of the corpus is accepted as what it is, and nobody finds a place in what is stored', {
  timeout: 120_000,
}, async ({ app, user }) => {
  const stored = await inParallel(photos, 8, async ({ file, name }) => {
    const photo = photoOf(await upload(app, user, await readFile(file), { fileName: name }))
    const { bytes } = await storedBytes(app, user, photo['id'])
    return { photo, bytes }
  })

  for (const [index, { photo, bytes }] of stored.entries()) {
    const { name, contentType, width, height, takenAt } = photos[index] ?? {}
    const facts = { original_name: name, content_type: contentType, width, height }
    const taken = takenAt === undefined ? {} : { taken_at: takenAt }
    expect(photo).toMatchObject({ ...facts, ...taken, sha256: sha256(bytes), bytes: bytes.length })
    expect([name, latitudes(bytes), tellingWords(bytes)]).toEqual([name, [], []])
  }
  const all = stored.map(({ photo }) => photo)
  expect(await storedFor(app, user)).toEqual(onlyStored(user, all))
})

test('what is stored decodes to the pixels that were sent', { timeout: 120_000 }, async ({
  app,
  user,
}) => {
  const decodable = photos.filter(({ contentType }) => contentType !== 'image/heic')
  const pixels = async (file: Buffer) =>
    sha256(await sharp(file, { pages: -1, failOn: 'warning' }).raw({ depth: 'ushort' }).toBuffer())

  const pairs = await inParallel(decodable, 4, async ({ file, name }) => {
    const sent = await readFile(file)
    const photo = photoOf(await upload(app, user, sent))
    const { bytes } = await storedBytes(app, user, photo['id'])
    return { name, sent: await pixels(sent), stored: await pixels(bytes) }
  })

  expect(pairs.map(({ name, stored }) => [name, stored])).toEqual(
    pairs.map(({ name, sent }) => [name, sent]),
  )
})
