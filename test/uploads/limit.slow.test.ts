import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FunctionsCloud, startFunctionsCloud } from './functions-cloud.ts'
import { inParallel, pngOf, storedFor, upload } from './stored-app.ts'

let cloud: FunctionsCloud
beforeAll(async () => {
  cloud = await startFunctionsCloud()
})
afterAll(() => cloud.close())

test('of 100 parallel uploads by one user over two processes exactly 5 are accepted', {
  timeout: 120_000,
}, async () => {
  const user = await cloud.user()
  const servers = await Promise.all([cloud.start('upload'), cloud.start('upload')])
  const warm = await cloud.user()
  for (const server of servers) await upload(server, warm, pngOf(1000))

  const answers = await inParallel(Array.from({ length: 100 }), 100, async (_, index) => {
    const server = servers[index % 2] ?? { url: '' }
    return await upload(server, user, pngOf(1000 + index))
  })

  const refused = answers.filter(({ status }) => status !== 201)
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(5)
  expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([429]))
  for (const { headers, body } of refused) {
    expect(body['detail']).toBe('5 per 1 minute')
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  }
  const stored = await storedFor(cloud, user)
  expect([stored.photos.length, stored.objects.length, stored.pending_photos]).toEqual([5, 5, []])
})

test('who waits as long as Retry-After says is admitted', { timeout: 60_000 }, async () => {
  const user = await cloud.user()
  const server = await cloud.start('upload', { UPLOAD_LIMIT: '2/4second' })
  const send = () => upload(server, user, pngOf(1000))
  await send()
  await send()

  const refused = await send()
  const seconds = Number(refused.headers.get('retry-after'))
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  const admitted = await send()

  expect([refused.status, refused.body['code']]).toEqual([429, 'rate_limited'])
  expect(seconds).toBeLessThanOrEqual(4)
  expect(admitted.status).toBe(201)
})
