import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import {
  type Answer,
  call,
  registerUser,
  startApp,
  startCloud,
  startFunction,
  type User,
} from '../app.ts'
import { png } from '../image/build-png.ts'

vi.setConfig({ testTimeout: 120_000 })

function upload(url: string, { accessToken: token }: User): Promise<Answer> {
  return call(url, 'POST', '/file', {
    token,
    body: png(),
    headers: { 'content-type': 'image/png' },
  })
}

function count(answers: readonly Answer[], status: number): number {
  return answers.filter((answer) => answer.status === status).length
}

describe('POST /file', () => {
  test('RL-02 of 100 parallel uploads to two instances exactly 5 are admitted', async () => {
    const cloud = await startCloud()
    const started = await Promise.all(
      ['register', 'upload', 'upload'].map((name) => startFunction(name, cloud.environment)),
    )
    const [register = '', first = '', second = ''] = started.map(({ url }) => url)
    const user = await registerUser(register)

    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => upload(index % 2 === 0 ? first : second, user)),
    )

    await Promise.all(started.map(({ process }) => process.stop()))
    await cloud.close()
    expect(count(answers, 201)).toBe(5)
    expect(count(answers, 429) + count(answers, 503)).toBe(95)
    expect(count(answers, 429)).toBeGreaterThanOrEqual(count(answers, 503))
  })

  test('RL-08 admitted and refused replies say what is left, and who waits Retry-After is admitted', async () => {
    const app = await startApp({ env: { UPLOAD_LIMIT: '2/4seconds;50/hour' } })
    const user = await registerUser(app.url)

    const admitted = await upload(app.url, user)
    await upload(app.url, user)
    const refused = await upload(app.url, user)
    const wait = Number(refused.headers.get('retry-after'))
    await pause(wait * 1000)
    const later = await upload(app.url, user)

    await app.close()
    expect([admitted.status, refused.status, later.status]).toEqual([201, 429, 201])
    expect(admitted.headers.get('ratelimit-policy')).toBe(
      '"upload";q=2;w=4, "upload-3600";q=50;w=3600',
    )
    expect(admitted.headers.get('ratelimit')).toBe('"upload";r=1;t=4, "upload-3600";r=49;t=3600')
    expect(wait).toBeGreaterThanOrEqual(1)
    expect(refused.headers.get('ratelimit')).toMatch(/^"upload";r=0;t=\d, "upload-3600";r=48;/)
    expect(refused.body['detail']).toBe('2 per 4 seconds')
  })

  test('where the store fails nothing is admitted: 503 with Retry-After', async () => {
    const cloud = await startCloud()
    const [register, target] = await Promise.all([
      startFunction('register', cloud.environment),
      startFunction('upload', cloud.environment),
    ])
    const user = await registerUser(register.url)
    await cloud.close()

    const answer = await upload(target.url, user)

    await Promise.all([register.process.stop(), target.process.stop()])
    expect(answer.status).toBe(503)
    expect(answer.body['code']).toBe('unavailable')
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  })
})
