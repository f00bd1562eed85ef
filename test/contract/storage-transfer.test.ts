import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TransferManager } from '@google-cloud/storage'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { bytes, namesIn, newDirectory, test } from './storage-target.ts'

let directory = ''
beforeEach(async () => {
  directory = await newDirectory()
})
afterEach(async () => {
  await rm(directory, { recursive: true })
})

describe('files on this machine', () => {
  test('go up by path, the type by their ending', async ({ bucket }) => {
    const content = bytes(400_000)
    await writeFile(join(directory, 'beach.jpg'), content)

    await bucket.upload(join(directory, 'beach.jpg'), { destination: 'photos/beach.jpg' })

    const file = bucket.file('photos/beach.jpg')
    expect((await file.download())[0].equals(content)).toBe(true)
    expect((await file.getMetadata())[0].contentType).toBe('image/jpeg')
  })

  test('go up many at a time', async ({ bucket }) => {
    const paths = ['a', 'b', 'c'].map((name) => join(directory, name))
    for (const path of paths) await writeFile(path, bytes(1000))

    await new TransferManager(bucket).uploadManyFiles(paths, {
      customDestinationBuilder: (path) => path.slice(-1),
    })

    expect(await namesIn(bucket)).toEqual(['a', 'b', 'c'])
  })

  test('come down in chunks side by side', async ({ bucket }) => {
    const content = bytes(1_000_000)
    await bucket.file('large').save(content, { resumable: false })
    const destination = join(directory, 'large')

    await new TransferManager(bucket).downloadFileInChunks(bucket.file('large'), {
      ...{ destination, chunkSizeBytes: 300_000, concurrencyLimit: 3, validation: 'crc32c' },
    })

    expect((await readFile(destination)).equals(content)).toBe(true)
  })
})
