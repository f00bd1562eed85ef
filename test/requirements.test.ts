import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** Highest number of each group of requirements. */
const GROUPS = {
  AUTH: 8,
  PW: 7,
  TOK: 9,
  KEY: 6,
  SES: 12,
  AZ: 3,
  RL: 8,
  UP: 15,
  DL: 4,
  HTTP: 9,
  DATA: 4,
  PRIV: 3,
  SUP: 3,
  OPS: 6,
}
/** Faults that the test of a requirement shows: F15 by KEY-03, F19 by OPS-04, F23 by PW-05. */
const SHOWN_BY_REQUIREMENTS = ['F15', 'F19', 'F23']

function numbered(group: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `${group}-${String(at + 1).padStart(2, '0')}`)
}

function titles(): readonly string[] {
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  const tests = files.filter(
    (file) => file.endsWith('.test.ts') && !file.endsWith('requirements.test.ts'),
  )
  return tests.flatMap((file) => {
    const source = readFileSync(join('test', file), 'utf8')
    return [...source.matchAll(/\(\s*(['"`])((?:[A-Z]+-\d\d|F\d\d)\b[^\n]*?)\1/g)].map(
      ([, , title = '']) => title,
    )
  })
}

const named = Map.groupBy(titles(), (title) => /^[A-Z]+-?\d\d/.exec(title)?.[0] ?? '')

test('each requirement is the name of exactly one test', () => {
  const ids = Object.entries(GROUPS).flatMap(([group, count]) => numbered(group, count))

  const wrong = ids
    .map((id) => `${id}: ${named.get(id)?.length ?? 0}`)
    .filter((line) => !line.endsWith(': 1'))

  expect(wrong).toEqual([])
})

test('each fault is a test, or is shown by one of a requirement', () => {
  const faults = Array.from({ length: 27 }, (_, at) => `F${String(at + 1).padStart(2, '0')}`)

  const missing = faults.filter((id) => !named.has(id) && !SHOWN_BY_REQUIREMENTS.includes(id))

  expect(missing).toEqual([])
})
