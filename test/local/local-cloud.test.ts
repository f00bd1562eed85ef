import { once } from 'node:events'
import { readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LocalCloud, openLocalCloud } from '../../infra/local/local-cloud.ts'
import { newDirectory, openClient, withEnvironment } from '../contract/storage-target.ts'

let dataDir = ''
beforeEach(async () => {
  dataDir = await newDirectory()
})
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true })
})

const bucketOf = async (cloud: LocalCloud) => {
  const client = await openClient(
    { apiEndpoint: cloud.storageUrl },
    { GOOGLE_APPLICATION_CREDENTIALS: cloud.credentialsFile },
  )
  return client.bucket('wowmedia-photos')
}

/** Takes a port until it is closed. */
async function occupy(port: number) {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return async () => {
    server.close()
    await once(server, 'close')
  }
}

describe('both local servers', () => {
  test('start with a bucket and an identity that signs', async () => {
    const cloud = await openLocalCloud({ dataDir, bucket: 'wowmedia-photos' })
    const file = (await bucketOf(cloud)).file('a')
    await file.save('content', { resumable: false })
    const expires = Date.now() + 60_000
    const [url] = await file.getSignedUrl({ version: 'v4', action: 'read', expires })

    const answer = await fetch(url)
    await cloud.close()

    expect(await answer.text()).toBe('content')
    expect(cloud.firestoreHost).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(new URL(url).searchParams.get('X-Goog-Credential')).toContain(cloud.signerEmail)
  })

  test('keep the port, the identity and the content over a restart', async () => {
    const first = await openLocalCloud({ dataDir, bucket: 'wowmedia-photos' })
    await (await bucketOf(first)).file('a').save('content', { resumable: false })
    const key = await readFile(first.credentialsFile, 'utf8')
    await first.close()

    const second = await openLocalCloud({ dataDir, bucket: 'wowmedia-photos' })
    const [content] = await (await bucketOf(second)).file('a').download()
    await second.close()

    expect(content.toString()).toBe('content')
    expect(second.storageUrl).toBe(first.storageUrl)
    expect(await readFile(second.credentialsFile, 'utf8')).toBe(key)
  })

  test('take a free port where the last one is taken', async () => {
    const first = await openLocalCloud({ dataDir })
    await first.close()
    const free = await occupy(Number(new URL(first.storageUrl).port))

    const second = await openLocalCloud({ dataDir })
    await Promise.all([second.close(), free()])

    expect(second.storageUrl).not.toBe(first.storageUrl)
  })

  test('keep the key to the owner (Windows has no such mode)', async () => {
    const cloud = await openLocalCloud({ dataDir })
    await cloud.close()

    const mode = process.platform === 'win32' ? 0o666 : 0o600
    expect((await stat(cloud.credentialsFile)).mode & 0o777).toBe(mode)
  })
})

describe('one clear line where they cannot start', () => {
  test('P1 the data directory is in use', async () => {
    const cloud = await openLocalCloud({ dataDir })

    const second = openLocalCloud({ dataDir })
    await expect(second).rejects.toMatchObject({
      oneLine: true,
      message: expect.stringContaining(`${dataDir} is in use`),
    })
    await cloud.close()
  })

  test('P5 a port that was asked for is taken, and nothing stays open', async () => {
    const cloud = await openLocalCloud({ dataDir })
    const port = Number(new URL(cloud.storageUrl).port)
    const other = await newDirectory()

    const storage = openLocalCloud({ dataDir: other, storagePort: port })
    await expect(storage).rejects.toMatchObject({
      oneLine: true,
      message: `The port ${port} for Cloud Storage is taken.`,
    })
    const firestore = openLocalCloud({ dataDir: other, firestorePort: port })
    await expect(firestore).rejects.toMatchObject({
      oneLine: true,
      message: `The port ${port} for Firestore is taken.`,
    })
    await cloud.close()
    await (await openLocalCloud({ dataDir: other })).close()
    await rm(other, { recursive: true })
  })

  test('on Google Cloud', async () => {
    const start = withEnvironment({ K_SERVICE: 'upload' }, () => openLocalCloud({ dataDir }))

    await expect(start).rejects.toThrow('do not run on Google Cloud')
  })
})
