import type { Bucket } from '@google-cloud/storage'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { successor } from '../../infra/local/storage/list.ts'
import { codeOf, insertPath, namesIn, type StorageTarget, test } from './storage-target.ts'

const NAMES = ['é', 'b', 'a/2', '😀', 'Z', 'c/x/y', 'a/1']

async function fill(bucket: Bucket, names: readonly string[] = NAMES): Promise<void> {
  for (const name of names) await bucket.file(name).save(name, { resumable: false })
}

type Listed = { names: string[]; prefixes: string[]; next: string | undefined }

async function list(storage: StorageTarget, bucket: Bucket, query: string): Promise<Listed> {
  const answer = await storage.http(`/storage/v1/b/${bucket.name}/o?${query}`)
  const page: unknown = await answer.json()
  const found = { items: [], prefixes: [], nextPageToken: undefined, ...Object(page) }
  return {
    names: found.items.map(({ name }: { name: string }) => name),
    prefixes: found.prefixes,
    next: found.nextPageToken,
  }
}

describe('a list', () => {
  test('K01 is in the order of the UTF-8 bytes', async ({ bucket }) => {
    await fill(bucket)

    expect(await namesIn(bucket)).toEqual(['Z', 'a/1', 'a/2', 'b', 'c/x/y', 'é', '😀'])
  })

  test('K01 by prefix, and folded at a delimiter', async ({ bucket, storage }) => {
    await fill(bucket)

    const [inA] = await bucket.getFiles({ prefix: 'a/' })
    const folded = await list(storage, bucket, 'delimiter=/')
    const below = await list(storage, bucket, 'delimiter=/&prefix=c/')

    expect(inA.map(({ name }) => name)).toEqual(['a/1', 'a/2'])
    expect(folded).toEqual({
      names: ['Z', 'b', 'é', '😀'],
      prefixes: ['a/', 'c/'],
      next: undefined,
    })
    expect(below).toEqual({ names: [], prefixes: ['c/x/'], next: undefined })
  })

  test('K02 pages: 3 of 7, items and prefixes together', async ({ bucket, storage }) => {
    await fill(bucket)
    const sizes: number[] = []
    const names: string[] = []
    let token: string | undefined = ''
    while (token !== undefined) {
      const page: Listed = await list(storage, bucket, `maxResults=3&pageToken=${token}`)
      sizes.push(page.names.length)
      names.push(...page.names)
      token = page.next
    }

    expect(sizes).toEqual([3, 3, 1])
    expect(names).toEqual(['Z', 'a/1', 'a/2', 'b', 'c/x/y', 'é', '😀'])
  })

  test('K02 pages with a delimiter never repeat or lose a prefix', async ({ bucket, storage }) => {
    await fill(bucket)
    const first = await list(storage, bucket, 'delimiter=/&maxResults=2')
    const second = await list(storage, bucket, `delimiter=/&maxResults=2&pageToken=${first.next}`)
    const third = await list(storage, bucket, `delimiter=/&maxResults=2&pageToken=${second.next}`)

    expect([first.names, first.prefixes]).toEqual([['Z'], ['a/']])
    expect([second.names, second.prefixes]).toEqual([['b'], ['c/']])
    expect([third.names, third.prefixes, third.next]).toEqual([['é', '😀'], [], undefined])
  })

  test('K02 the SDK pages by itself', async ({ bucket }) => {
    await fill(bucket)

    const [files] = await bucket.getFiles({ maxResults: 3, autoPaginate: true })

    expect(files.map(({ name }) => name)).toHaveLength(3)
    const all: string[] = []
    for await (const file of bucket.getFilesStream({ maxResults: 100 })) all.push(file.name)
    expect(all).toHaveLength(7)
  })

  test('K03 of an empty bucket has no items', async ({ bucket, storage }) => {
    const answer = await storage.http(`/storage/v1/b/${bucket.name}/o`)

    expect(await answer.json()).toEqual({ kind: 'storage#objects' })
  })

  test('K04 of a missing bucket is 404', async ({ storage }) => {
    expect(await codeOf(storage.client.bucket('no-such-bucket').getFiles())).toBe(404)
  })

  test('K05 between offsets', async ({ bucket }) => {
    await fill(bucket)

    const [files] = await bucket.getFiles({ startOffset: 'b', endOffset: 'd' })

    expect(files.map(({ name }) => name)).toEqual(['b', 'c/x/y'])
  })

  test('K06 deleteFiles empties the bucket', async ({ bucket }) => {
    await fill(bucket)

    await bucket.deleteFiles()

    expect(await namesIn(bucket)).toEqual([])
  })

  test.for([
    { query: 'maxResults=0', status: 400 },
    { query: 'maxResults=many', status: 400 },
    { query: 'pageToken=%21%21', status: 400 },
    { query: 'matchGlob=*', status: 501 },
    { query: 'prefix=%zz', status: 400 },
    { query: 'unknown=1', status: 200 },
  ])('?$query is $status', async ({ query, status }, { bucket, storage }) => {
    expect((await storage.http(`/storage/v1/b/${bucket.name}/o?${query}`)).status).toBe(status)
  })
})

describe('the successor of a prefix', () => {
  const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

  test.for([
    { prefix: 'a/', next: 'a0' },
    { prefix: 'a\u{10ffff}', next: 'b' },
    { prefix: '\ud7ff', next: '\ue000' },
    { prefix: '\u{10ffff}', next: undefined },
  ])('of $prefix is $next', ({ prefix, next }) => {
    expect(successor(prefix)).toBe(next)
  })

  test('lies behind everything that starts with it', () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(text, fc.string({ unit: 'binary' }), (prefix, rest) => {
        const next = successor(prefix)
        return next === undefined || compare(prefix + rest, next) < 0
      }),
    )
    expect(compare(successor('é') ?? '', 'é')).toBeGreaterThan(0)
  })
})

test('any delimiter, prefix and page size give what folding all names gives', async ({
  bucket,
  storage,
}) => {
  const names = ['a', 'a/', 'a/a', 'a/b/', 'a/b/c', 'a//', 'b/a', 'b', 'é/x', '/', '//a', 'a😀/b']
  for (const name of names) {
    await storage.http(insertPath(bucket.name, name), { method: 'POST', body: '' })
  }
  const query = fc.record({
    prefix: fc.constantFrom('', 'a', 'a/', 'b', '/', 'é'),
    delimiter: fc.constantFrom('', '/', 'b', '//'),
    size: fc.integer({ min: 1, max: 5 }),
  })
  await fc.assert(
    fc.asyncProperty(query, async ({ prefix, delimiter, size }) => {
      const expected = fold(names, prefix, delimiter)
      const base = `prefix=${encodeURIComponent(prefix)}&delimiter=${delimiter}&maxResults=${size}`
      const got = { names: [''].slice(1), prefixes: [''].slice(1) }
      let token: string | undefined = ''
      while (token !== undefined) {
        const page: Listed = await list(storage, bucket, `${base}&pageToken=${token}`)
        got.names.push(...page.names)
        got.prefixes.push(...page.prefixes)
        token = page.next
      }
      expect(got).toEqual(expected)
    }),
    { numRuns: 60 },
  )
})

/** The plain way: every name, one by one. */
function fold(names: readonly string[], prefix: string, delimiter: string) {
  const sorted = names
    .filter((name) => name.startsWith(prefix))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const prefixes = new Set<string>()
  const plain: string[] = []
  for (const name of sorted) {
    const at = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length)
    if (at < 0) plain.push(name)
    else prefixes.add(name.slice(0, at + delimiter.length))
  }
  return { names: plain, prefixes: [...prefixes] }
}
