import { FieldValue } from '@google-cloud/firestore'
import { expect } from 'vitest'
import type { Check } from './firestore-check.ts'
import { code } from './firestore-raw.ts'
import { counted, times } from './firestore-transactions.ts'

/** Matrix 2.5: many at once. */
export const contentionChecks: readonly Check[] = [
  {
    id: 'G08 G11 G30',
    it: 'loses no increment',
    run: async ({ db, c }) => {
      await Promise.all([
        c.doc('a').set({ n: 0 }),
        c.doc('b').set({ n: 0 }),
        c.doc('d').set({ n: 0 }),
      ])
      const add = (id: string) =>
        db.runTransaction(async (t) => {
          const n = (await t.get(c.doc(id))).get('n')
          t.update(c.doc(id), { n: n + 1 })
        })
      const ten = await Promise.all(times(10, () => code(add('a'))))
      await Promise.all([add('b'), add('b')])
      await Promise.all(times(50, () => c.doc('d').update({ n: FieldValue.increment(1) })))

      expect((await c.doc('a').get()).get('n')).toBe(
        ten.filter((outcome) => outcome === 'OK').length,
      )
      expect((await c.doc('b').get()).get('n')).toBe(2)
      expect((await c.doc('d').get()).get('n')).toBe(50)
    },
  },
  {
    id: 'G09 G10',
    it: 'lets transactions on different documents run in one attempt each',
    run: async (at) => {
      const { c } = at
      await Promise.all(times(10, (n) => c.doc(`d${n}`).set({ n })))
      const apart = times(10, (n) =>
        counted(at, async (t) => {
          const document = await t.get(c.doc(`d${n}`))
          t.update(c.doc(`d${n}`), { n: document.get('n') + 1 })
        }),
      )
      await Promise.all(apart.map(({ result }) => result))
      const readers = ['x', 'y'].map((id) =>
        counted(at, async (t) => {
          const document = await t.get(c.doc('d0'))
          t.set(c.doc(id), { n: document.get('n') })
        }),
      )
      await Promise.all(readers.map(({ result }) => result))
      const attempts = (all: readonly { attempts: () => number }[]) =>
        all.reduce((sum, one) => sum + one.attempts(), 0)

      expect(attempts(apart)).toBe(10)
      expect(attempts(readers)).toBe(2)
      expect((await c.doc('y').get()).get('n')).toBe(1)
    },
  },
  {
    id: 'G12',
    it: 'keeps the value equal to the number of successes when nothing is retried',
    run: async ({ db, c, allows }) => {
      await c.doc('a').set({ n: 0 })
      const add = () =>
        db.runTransaction(
          async (t) => {
            const n = (await t.get(c.doc('a'))).get('n')
            t.update(c.doc('a'), { n: n + 1 })
          },
          { maxAttempts: 1 },
        )
      const outcomes = await Promise.all([code(add()), code(add())])
      const successes = outcomes.filter((outcome) => outcome === 'OK').length

      expect((await c.doc('a').get()).get('n')).toBe(successes)
      if (!allows('G12')) expect(successes).toBe(2)
    },
  },
  {
    id: 'G27',
    it: 'lets exactly 5 of 12 through a limit of 5',
    run: async ({ db, c }) => {
      const passed = await Promise.all(
        times(12, () =>
          db.runTransaction(async (t) => {
            const n: number = (await t.get(c.doc('limit'))).get('n') ?? 0
            if (n < 5) t.set(c.doc('limit'), { n: n + 1 })
            return n < 5
          }),
        ),
      )

      expect(passed.filter(Boolean)).toHaveLength(5)
      expect((await c.doc('limit').get()).get('n')).toBe(5)
    },
  },
  {
    id: 'G28 G29',
    it: 'lets exactly one of 8 rotate a version, and one of 8 create a name',
    run: async ({ c }) => {
      const { writeTime } = await c.doc('session').set({ n: 0 })
      const rotations = await Promise.all(
        times(8, (n) => code(c.doc('session').update({ n: n + 1 }, { lastUpdateTime: writeTime }))),
      )
      const creations = await Promise.all(times(8, (n) => code(c.doc('name').create({ n }))))

      expect(rotations.toSorted()).toEqual([...times(7, () => 'FAILED_PRECONDITION'), 'OK'])
      expect(creations.toSorted()).toEqual([...times(7, () => 'ALREADY_EXISTS'), 'OK'])
    },
  },
]
