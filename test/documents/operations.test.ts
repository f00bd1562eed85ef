import { glob, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

/** Names of what the functions log, from where they log it. */
async function loggedEvents(): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  for await (const file of glob('{functions,shared}/**/*.ts')) {
    const source = await readFile(file, 'utf8')
    for (const [, name = ''] of source.matchAll(/\bevent(?:\(\s*|: )'([a-z_]+)'/g)) names.add(name)
  }
  return names
}

test('the page for operators lists every event that is logged, and no other', async () => {
  const page = await readFile('docs/operations.md', 'utf8')
  const rows = page
    .split(/\r?\n/)
    .filter((line) => /^\| `[a-z_]+`.* \| .*(INFO|NOTICE|WARNING|ALERT|ERROR|status)/.test(line))
  const listed = rows.flatMap((row) => {
    const [, names = ''] = row.split('|')
    return [...names.matchAll(/`([a-z_]+)`/g)].map(([, name = '']) => name)
  })

  // A failed request is logged under its problem's code.
  const logged = [...(await loggedEvents()), 'internal', 'unavailable']

  expect(listed.toSorted()).toEqual([...new Set(logged)].toSorted())
  expect(listed.length).toBeGreaterThan(15)
})
