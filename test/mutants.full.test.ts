/** Each line that guards something is broken in turn, in a copy of the project: a test of ours must notice. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MUTANTS } from './mutants/all.ts'
import { type Laboratory, openLaboratory } from './mutants/laboratory.ts'

const MUTANT_MS = 120_000

let laboratory: Laboratory
beforeAll(async () => {
  laboratory = await openLaboratory()
})
afterAll(() => laboratory.close())

test('there are at least 40 mutants, each with a name of its own', () => {
  expect(MUTANTS.length).toBeGreaterThanOrEqual(40)
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
})

test('nothing fails in the copy while nothing is broken', { timeout: 600_000 }, async () => {
  expect(await laboratory.failuresUnbroken(MUTANTS)).toBe(0)
})

test.each(MUTANTS)('is noticed: $name', { timeout: MUTANT_MS }, async (mutant) => {
  const { outcome, output } = await laboratory.try(mutant)

  expect(outcome, output).toBe('caught')
})
