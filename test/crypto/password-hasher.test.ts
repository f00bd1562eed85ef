import { argon2d, argon2i, hash } from 'argon2'
import { describe, expect, test } from 'vitest'
import { parametersOf } from '../../shared/crypto/password-hash.ts'
import { during, openPasswordHasher } from '../../shared/crypto/password-hasher.ts'
import { openSemaphore } from '../../shared/crypto/semaphore.ts'

const hasher = openPasswordHasher()
const weaker = (options: Parameters<typeof hash>[1]) =>
  hash('open sesame', {
    memoryCost: 19_456,
    timeCost: 2,
    parallelism: 1,
    hashLength: 32,
    ...options,
  })

describe('a password hash', () => {
  test('PW-04 is argon2id with 19 MiB, two passes, one lane, 16 bytes of salt and 32 of tag', async () => {
    const stored = await hasher.hash('open sesame')
    const [, variant, version, parameters = '', salt = '', tag = ''] = stored.split('$')
    const named = Object.fromEntries(parameters.split(',').map((pair) => pair.split('=')))

    expect({ variant, version, ...named }).toEqual({
      variant: 'argon2id',
      version: 'v=19',
      m: '19456',
      t: '2',
      p: '1',
    })
    expect(Buffer.from(salt, 'base64')).toHaveLength(16)
    expect(Buffer.from(tag, 'base64')).toHaveLength(32)
    expect(await hasher.hash('open sesame')).not.toBe(stored)
  })

  test('tells the password from every other, to the last of 1,024 bytes', async () => {
    const long = 'x'.repeat(1_023)
    const stored = await hasher.hash(`${long}a`)

    expect(await hasher.verify(stored, `${long}a`)).toEqual({
      matches: true,
      weak: false,
      damaged: false,
    })
    expect(await hasher.verify(stored, `${long}b`)).toMatchObject({ matches: false })
    expect(await hasher.verify(undefined, 'open sesame')).toEqual({
      matches: false,
      weak: false,
      damaged: false,
    })
  })

  test('is weak where it costs less than a new one, and not where it costs more', async () => {
    const rows = await Promise.all([
      weaker({ memoryCost: 8_192 }),
      weaker({ timeCost: 1 }),
      weaker({ hashLength: 16 }),
      weaker({ memoryCost: 65_536 }),
      weaker({ timeCost: 3 }),
    ])

    const checks = []
    for (const stored of rows) checks.push(await hasher.verify(stored, 'open sesame'))

    expect(checks.map(({ matches }) => matches)).toEqual(Array(5).fill(true))
    expect(checks.map(({ weak }) => weak)).toEqual([true, true, true, false, false])
  })

  test.for([
    { form: 'nothing', stored: '' },
    { form: 'no PHC string', stored: 'open sesame' },
    { form: 'bcrypt', stored: '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy' },
    {
      form: 'memory of 4 TiB',
      stored: '$argon2id$v=19$m=4294967295,t=2,p=1$c2FsdHNhbHRzYWx0$dGFndGFndGFndGFndGFndGFn',
    },
    {
      form: 'memory over the bound',
      stored: '$argon2id$v=19$m=131073,t=2,p=1$c2FsdHNhbHRzYWx0$dGFndGFndGFndGFndGFndGFn',
    },
    {
      form: 'too many passes',
      stored: '$argon2id$v=19$m=19456,t=11,p=1$c2FsdHNhbHRzYWx0$dGFndGFndGFndGFndGFndGFn',
    },
    {
      form: 'too many lanes',
      stored: '$argon2id$v=19$m=19456,t=2,p=5$c2FsdHNhbHRzYWx0$dGFndGFndGFndGFndGFndGFn',
    },
    {
      form: 'no lanes',
      stored: '$argon2id$v=19$m=19456,t=2$c2FsdHNhbHRzYWx0$dGFndGFndGFndGFndGFndGFn',
    },
    {
      form: 'an old version',
      stored: '$argon2id$v=16$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$dGFndGFndGFndGFndGFndGFn',
    },
    { form: 'cut', stored: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0' },
  ])('of the form “$form” matches nothing and is worth an alert', async ({ stored }) => {
    expect(parametersOf(stored)).toBeUndefined()
    expect(await hasher.verify(stored, 'open sesame')).toEqual({
      matches: false,
      weak: false,
      damaged: true,
    })
  })

  test('of another variant matches nothing', async () => {
    for (const type of [argon2i, argon2d] as const) {
      expect(await hasher.verify(await weaker({ type }), 'open sesame')).toMatchObject({
        matches: false,
        damaged: true,
      })
    }
  })
})

describe('a turn', () => {
  test('begins nothing before those before it have ended', async () => {
    const narrow = openPasswordHasher(openSemaphore({ running: 1, waiting: 1, waitMs: 60_000 }))
    const events: string[] = []
    const turnOf = (name: string) =>
      narrow.inTurn(async (hashes) => {
        events.push(`${name} begins`)
        await hashes.hash('open sesame')
        await new Promise(setImmediate)
        events.push(`${name} ends`)
      })

    const answers = await Promise.allSettled(['first', 'second', 'third'].map(turnOf))

    expect(events).toEqual(['first begins', 'first ends', 'second begins', 'second ends'])
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  })

  test('says beforehand where there is no room for one', async () => {
    const narrow = openPasswordHasher(openSemaphore({ running: 1, waiting: 0, waitMs: 1 }))
    const gate = Promise.withResolvers<void>()

    expect(() => narrow.demandRoom()).not.toThrow()
    const running = narrow.inTurn(() => gate.promise)

    expect(() => narrow.demandRoom()).toThrow(expect.objectContaining({ code: 'unavailable' }))
    gate.resolve()
    await running
    expect(() => narrow.demandRoom()).not.toThrow()
  })

  test('lasts as long as its hash, although what went on meanwhile failed', async () => {
    const hashing = Promise.withResolvers<string>()
    let ended = false
    const both = during(hashing.promise, Promise.reject(new Error('no store'))).finally(() => {
      ended = true
    })
    both.catch(() => undefined)
    await new Promise(setImmediate)

    expect(ended).toBe(false)
    hashing.resolve('hashed')
    await expect(both).rejects.toThrow('no store')
  })
})

describe('work beyond what runs at once', () => {
  const limits = { running: 2, waiting: 3, waitMs: 60_000 }

  test('waits in order, so many at most, and the rest is unavailable', async () => {
    const semaphore = openSemaphore(limits)
    const gate = Promise.withResolvers<void>()
    const order: number[] = []
    let most = 0
    let running = 0
    const work = (id: number) => async () => {
      running += 1
      most = Math.max(most, running)
      await gate.promise
      order.push(id)
      running -= 1
    }

    const results = Array.from({ length: 8 }, (_, id) => semaphore.run(work(id)))
    const settled = Promise.allSettled(results)
    gate.resolve()

    expect((await settled).map(({ status }) => status)).toEqual([
      ...Array(5).fill('fulfilled'),
      ...Array(3).fill('rejected'),
    ])
    await expect(results[7]).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 })
    expect(order).toEqual([0, 1, 2, 3, 4])
    expect(most).toBe(2)
  })

  test('is unavailable after its longest wait, and keeps nobody else’s place', async () => {
    const semaphore = openSemaphore({ running: 1, waiting: 2, waitMs: 1 })
    const gate = Promise.withResolvers<string>()
    const first = semaphore.run(() => gate.promise)

    await expect(semaphore.run(async () => 'late')).rejects.toMatchObject({ code: 'unavailable' })
    gate.resolve('done')

    expect(await first).toBe('done')
    expect(await semaphore.run(async () => 'free again')).toBe('free again')
  })

  test('that fails leaves its place', async () => {
    const semaphore = openSemaphore({ running: 1, waiting: 0, waitMs: 1 })

    await expect(semaphore.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no')

    expect(await semaphore.run(async () => 1)).toBe(1)
  })
})
