import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { type StorageServer, startStorage } from '../../infra/local/storage/server.ts'
import { insertPath, newDirectory, objectPath } from './storage-target.ts'

const MANY = 1_000_000
const FEW = 1000

/** Rows as uploads leave them, without their bytes: a million uploads would take half an hour. */
function fill(dataDir: string, count: number): void {
  const db = new DatabaseSync(join(dataDir, 'storage.db'))
  db.exec(`
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count} - 1)
    INSERT INTO objects
    SELECT 'many', printf('users/%04d/photo-%07d', i % 1000, i), 1000000 + i, 1,
      printf('%064x', i), 1234, 'md5', 'crc', 1, 1, 0, '{"contentType":"image/jpeg"}'
    FROM n`)
  db.close()
}

async function openFilled(count: number): Promise<{ server: StorageServer; dataDir: string }> {
  const dataDir = await newDirectory()
  const first = await startStorage({ dataDir })
  await fetch(`${first.url}/b`, { method: 'POST', body: '{"name":"many"}' })
  await first.close()
  fill(dataDir, count)
  return { server: await startStorage({ dataDir }), dataDir }
}

/** Milliseconds of the quickest of 20: what the work costs, not what else the machine did. */
async function quickest(work: (at: number) => Promise<Response>): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let at = 0; at < 20; at++) {
    const start = performance.now()
    const answer = await work(at)
    await answer.arrayBuffer()
    expect(answer.status).toBeLessThan(300)
    best = Math.min(best, performance.now() - start)
  }
  return best
}

/** Every call whose cost must not depend on how many objects there are. */
async function costs({ url }: StorageServer): Promise<Record<string, number>> {
  const list = (query: string) => fetch(`${url}/b/many/o?${query}`)
  const name = (at: number) => `users/0007/photo-000${String(at)}007`
  return {
    'first page': await quickest(() => list('maxResults=100')),
    'page in the middle': await quickest(() => list('maxResults=100&startOffset=users/0500/')),
    'by prefix': await quickest(() => list('maxResults=100&prefix=users/00')),
    folded: await quickest(() => list('delimiter=/')),
    'folded below': await quickest(() => list('delimiter=/&prefix=users/&maxResults=50')),
    metadata: await quickest(() => fetch(url + objectPath('many', name(0)))),
    upload: await quickest((at) =>
      fetch(url + insertPath('many', `new/${at}`), { method: 'POST', body: 'x' }),
    ),
    delete: await quickest((at) =>
      fetch(url + objectPath('many', `new/${at}`), { method: 'DELETE' }),
    ),
  }
}

test('a million objects cost no call more than a thousand do', { timeout: 120_000 }, async () => {
  const few = await openFilled(FEW)
  const many = await openFilled(MANY)
  const small = await costs(few.server)
  const large = await costs(many.server)
  await Promise.all([few.server.close(), many.server.close()])

  const restarted = performance.now()
  const again = await startStorage({ dataDir: many.dataDir })
  const startMs = performance.now() - restarted
  await again.close()
  await Promise.all([few, many].map(({ dataDir }) => rm(dataDir, { recursive: true })))

  const ratios = Object.entries(large).map(([call, ms]) => ({
    call,
    few: small[call]?.toFixed(2),
    many: ms.toFixed(2),
    ratio: ms / (small[call] ?? 0),
  }))
  process.stdout.write(`start with ${MANY} objects: ${startMs.toFixed(0)} ms\n`)
  for (const each of ratios) process.stdout.write(`${JSON.stringify(each)}\n`)
  expect(ratios.filter(({ ratio }) => ratio > 5)).toEqual([])
  expect(startMs).toBeLessThan(3000)
})
