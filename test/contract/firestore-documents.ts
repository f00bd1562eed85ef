import { FieldPath, FieldValue, Timestamp } from '@google-cloud/firestore'
import { expect } from 'vitest'
import { type Check, ids } from './firestore-check.ts'
import { code } from './firestore-raw.ts'

/** Matrix 2.1: reading, writing, preconditions, times, listing. */
export const documentChecks: readonly Check[] = [
  {
    id: 'A01 A03',
    it: 'creates and reads a document; a missing one has a read time and no update time',
    run: async ({ c }) => {
      await c.doc('a').create({ n: 1 })
      const found = await c.doc('a').get()
      const missing = await c.doc('b').get()

      expect(found.data()).toEqual({ n: 1 })
      expect(missing.exists).toBe(false)
      expect(missing.readTime).toBeInstanceOf(Timestamp)
      expect(missing.updateTime).toBeUndefined()
    },
  },
  {
    id: 'A02 A04 A06',
    it: 'refuses to create what exists and to update or delete what does not',
    run: async ({ c }) => {
      await c.doc('a').create({ n: 1 })

      expect(await code(c.doc('a').create({ n: 2 }))).toBe('ALREADY_EXISTS')
      expect(await code(c.doc('b').update({ n: 2 }))).toBe('NOT_FOUND')
      expect(await code(c.doc('b').delete({ exists: true }))).toBe('NOT_FOUND')
    },
  },
  {
    id: 'A05 A07 A10 A12',
    it: 'deletes without complaint, and holds an update time against a missing document',
    run: async ({ c }) => {
      const { writeTime } = await c.doc('a').create({ n: 1 })

      expect(await code(c.doc('b').delete())).toBe('OK')
      expect(await code(c.doc('a').delete({ exists: true }))).toBe('OK')
      expect((await c.doc('a').get()).exists).toBe(false)
      expect(await code(c.doc('a').update({ n: 2 }, { lastUpdateTime: writeTime }))).toBe(
        'FAILED_PRECONDITION',
      )
      expect(await code(c.doc('a').delete({ lastUpdateTime: writeTime }))).toBe(
        'FAILED_PRECONDITION',
      )
    },
  },
  {
    id: 'A08 A09 A11',
    it: 'lets only the holder of the present update time write',
    run: async ({ c }) => {
      const stale = (await c.doc('a').create({ n: 1 })).writeTime
      const fresh = (await c.doc('a').update({ n: 2 })).writeTime

      expect(await code(c.doc('a').update({ n: 3 }, { lastUpdateTime: stale }))).toBe(
        'FAILED_PRECONDITION',
      )
      expect(await code(c.doc('a').delete({ lastUpdateTime: stale }))).toBe('FAILED_PRECONDITION')
      expect(await code(c.doc('a').update({ n: 4 }, { lastUpdateTime: fresh }))).toBe('OK')
      expect((await c.doc('a').get()).get('n')).toBe(4)
    },
  },
  {
    id: 'A13',
    it: 'replaces the whole document by set',
    run: async ({ c }) => {
      await c.doc('a').set({ x: 1, y: 2 })
      await c.doc('a').set({ z: 3 })

      expect((await c.doc('a').get()).data()).toEqual({ z: 3 })
    },
  },
  {
    id: 'A14',
    it: 'merges maps deeply and replaces arrays',
    run: async ({ c }) => {
      await c.doc('a').set({ m: { x: 1, y: { p: 1 } }, l: [1, 2] })
      await c.doc('a').set({ m: { y: { q: 2 } }, l: [3] }, { merge: true })

      expect((await c.doc('a').get()).data()).toEqual({ m: { x: 1, y: { p: 1, q: 2 } }, l: [3] })
    },
  },
  {
    id: 'A15',
    it: 'merges only the listed fields and deletes the one marked so',
    run: async ({ c }) => {
      await c.doc('a').set({ x: 1, y: 2, z: 3 })
      await c.doc('a').set({ x: 9, y: FieldValue.delete(), z: 9 }, { mergeFields: ['x', 'y'] })

      expect((await c.doc('a').get()).data()).toEqual({ x: 9, z: 3 })
    },
  },
  {
    id: 'A16 A17',
    it: 'updates by dotted path beside its siblings, and whole maps by their name',
    run: async ({ c }) => {
      await c.doc('a').set({ m: { x: 1, y: 2, z: 3 }, k: { old: 1 } })
      await c.doc('a').update({ 'm.x': 9, 'm.y': FieldValue.delete(), k: { fresh: 1 } })

      expect((await c.doc('a').get()).data()).toEqual({ m: { x: 9, z: 3 }, k: { fresh: 1 } })
    },
  },
  {
    id: 'A18 A20 A21 A22 A23',
    it: 'keeps the create time and moves the update time on, in whole microseconds',
    run: async ({ c }) => {
      const created = (await c.doc('a').create({ n: 0 })).writeTime
      const times = [created]
      for (let n = 1; n <= 100; n += 1) times.push((await c.doc('a').update({ n })).writeTime)
      const read = await c.doc('a').get()
      const growing = times
        .slice(1)
        .every((time, i) => time.valueOf() > (times[i]?.valueOf() ?? ''))
      await c.doc('a').delete()
      await c.doc('a').create({ n: 0 })
      const again = await c.doc('a').get()

      expect(read.createTime?.isEqual(created)).toBe(true)
      expect(read.updateTime?.isEqual(times.at(-1) ?? created)).toBe(true)
      expect(growing).toBe(true)
      expect(times.every(({ nanoseconds }) => nanoseconds % 1000 === 0)).toBe(true)
      expect(again.createTime?.valueOf() ?? '').not.toBe(created.valueOf())
      expect((again.createTime?.valueOf() ?? '') > (times.at(-1)?.valueOf() ?? '')).toBe(true)
    },
  },
  {
    id: 'A19',
    it: 'does not count a write that changes nothing',
    run: async ({ c }) => {
      const first = (await c.doc('a').set({ x: 1, y: { p: 1, q: [1, 2] } })).writeTime
      const second = (await c.doc('a').set({ y: { q: [1, 2], p: 1 }, x: 1 })).writeTime
      const third = (await c.doc('a').update({ x: 1 })).writeTime

      expect(second.isEqual(first)).toBe(true)
      expect(third.isEqual(first)).toBe(true)
      expect((await c.doc('a').get()).updateTime?.isEqual(first)).toBe(true)
    },
  },
  {
    id: 'A24 A26',
    it: 'gets many in the order asked for, missing and repeated ones included',
    run: async ({ db, c }) => {
      await c.doc('a').set({ n: 1 })
      await c.doc('b').set({ n: 2 })
      const found = await db.getAll(c.doc('b'), c.doc('x'), c.doc('a'), c.doc('b'))

      expect(found.map(({ id, exists }) => [id, exists])).toEqual([
        ['b', true],
        ['x', false],
        ['a', true],
        ['b', true],
      ])
    },
  },
  {
    id: 'A25',
    it: 'returns only the masked fields',
    run: async ({ db, c }) => {
      await c.doc('a').set({ m: { x: 1, y: 2 }, n: 3 })
      const [found] = await db.getAll(c.doc('a'), { fieldMask: ['m.y', 'absent'] })

      expect(found?.data()).toEqual({ m: { y: 2 } })
    },
  },
  {
    id: 'A33',
    it: 'gets 300 documents at once',
    run: async ({ db, c }) => {
      const batch = db.batch()
      const references = Array.from({ length: 300 }, (_, n) => c.doc(`d${n}`))
      references.forEach((reference, n) => {
        batch.set(reference, { n })
      })
      await batch.commit()
      const found = await db.getAll(...references)

      expect(found.map((document) => document.get('n'))).toEqual(references.map((_, n) => n))
    },
  },
  {
    id: 'A27 A28 A32',
    it: 'lists missing parents, and leaves children where they are when their parent goes',
    run: async ({ c }) => {
      await c.doc('gone/sub/x').set({ n: 1 })
      await c.doc('here').set({ n: 1 })
      await c.doc('here/sub/y').set({ n: 1 })
      const listed = await c.listDocuments()
      await c.doc('here').delete()

      expect((await c.doc('gone').get()).exists).toBe(false)
      expect((await c.doc('gone/sub/x').get()).exists).toBe(true)
      expect(listed.map(({ id }) => id)).toEqual(['gone', 'here'])
      expect((await c.doc('here/sub/y').get()).exists).toBe(true)
      expect(await ids(c)).toBe('')
    },
  },
  {
    id: 'A29 A30',
    it: 'lists collections in order, below documents and at the root',
    run: async ({ db, c }) => {
      await c.doc('d/s2/x').set({ n: 1 })
      await c.doc('d/s1/x').set({ n: 1 })
      await c.doc('d/s3/missing/deep/x').set({ n: 1 })
      const below = await c.doc('d').listCollections()
      const root = await db.listCollections()

      expect(below.map(({ id }) => id)).toEqual(['s1', 's2', 's3'])
      expect(root.map(({ id }) => id)).toContain(c.id)
    },
  },
  {
    id: 'A31',
    it: 'deletes a collection with everything below it',
    run: async ({ db, c }) => {
      const paths = ['a', 'b', 'a/s/x', 'a/s/y', 'missing/s/x', 'b/t/z/u/deep']
      await Promise.all(paths.map((path) => db.doc(`${c.id}/${path}`).set({ n: 1 })))
      await db.recursiveDelete(c)
      const left = await db.getAll(...paths.map((path) => db.doc(`${c.id}/${path}`)))

      expect(left.filter(({ exists }) => exists)).toEqual([])
      expect(await c.listDocuments()).toEqual([])
    },
  },
  {
    id: 'E11',
    it: 'deletes what the mask lists and the fields lack',
    run: async ({ c, raw, database, name }) => {
      await c.doc('a').set({ x: 1, y: { p: 1, q: 2 } })
      const update = { name: name('a'), fields: { x: { integerValue: 2 } } }
      const updateMask = { fieldPaths: ['x', 'y.p'] }
      await raw.call('Commit', { database, writes: [{ update, updateMask }] })

      expect((await c.doc('a').get()).data()).toEqual({ x: 2, y: { q: 2 } })
    },
  },
  {
    id: 'B13 B14',
    it: 'takes any field name by path, and tells `x.y` from `y` in `x`',
    run: async ({ c }) => {
      const names = ['a.b', 'c`d', 'e\\f', 'g h', 'ü', '1x']
      await c.doc('a').set({ other: 1 })
      for (const [n, field] of names.entries())
        await c.doc('a').update(new FieldPath(field), n, new FieldPath('m', field), n)
      await c.doc('dotted').set({ 'x.y': 1 })
      await c.doc('nested').set({ x: { y: 1 } })
      const expected = Object.fromEntries(names.map((field, n) => [field, n]))

      expect((await c.doc('a').get()).data()).toEqual({ other: 1, ...expected, m: expected })
      expect(await ids(c.where(new FieldPath('x.y'), '==', 1))).toBe('dotted')
      expect(await ids(c.where('x.y', '==', 1))).toBe('nested')
    },
  },
]
