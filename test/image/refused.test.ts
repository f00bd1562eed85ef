import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { verdict } from './clean.ts'
import { damaged, photos } from './corpus.ts'

test('the table has at least 60 files and no name twice', () => {
  const names = new Set(damaged.map(({ name }) => name))

  expect(names.size).toBe(damaged.length)
  expect(names.size).toBeGreaterThanOrEqual(60)
})

test.for(damaged)('$name is $code', async ({ bytes, code }) => {
  const file = bytes()

  expect(await verdict(file)).toBe(code)
})

test.for(damaged)('$name is $code, byte by byte too', async ({ bytes, code }) => {
  const file = bytes()

  expect(await verdict(file, file.length > 20_000 ? 997 : 1)).toBe(code)
})

test.for(photos)('$name cut at each 1 % is image_damaged', async ({ file, trailingBytes }) => {
  const photo = readFileSync(file)
  const image = photo.subarray(0, photo.length - trailingBytes)
  const verdicts = new Set<unknown>()

  for (let percent = 1; percent < 100; percent += 1) {
    verdicts.add(await verdict(image.subarray(0, Math.floor((image.length * percent) / 100))))
  }
  verdicts.add(await verdict(image.subarray(0, -1)))

  expect([...verdicts]).toEqual(['image_damaged'])
})
