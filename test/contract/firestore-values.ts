import { randomBytes } from 'node:crypto'
import { FieldValue, GeoPoint, Timestamp } from '@google-cloud/firestore'
import { expect } from 'vitest'
import type { Check, Place } from './firestore-check.ts'
import { code } from './firestore-raw.ts'
import { connect } from './firestore-target.ts'

const MIB = 1_048_576

/** Writes a document with these fields, past the SDK's own checks. */
function rawSet({ raw, database, name }: Place, id: string, fields: Record<string, unknown>) {
  const update = { name: name(id), fields }
  return raw.call('Commit', { database, writes: [{ update }] })
}

const rawName = ({ raw, database }: Place, path: string) =>
  code(
    raw.call('Commit', {
      database,
      writes: [{ update: { name: `${database}/documents/${path}`, fields: {} } }],
    }),
  )

/** Maps around each other, `depth` of them in all. */
function nested(depth: number): Record<string, unknown> {
  const fields = depth === 1 ? {} : { m: nested(depth - 1) }
  return { mapValue: { fields } }
}

/** Matrix 2.2: every type of value, every limit on values, names and sizes. */
export const valueChecks: readonly Check[] = [
  {
    id: 'B01 B02',
    it: 'gives every type of value back as it came, times cut to microseconds',
    run: async ({ c }) => {
      const values = {
        null: null,
        yes: true,
        zero: -0,
        nan: Number.NaN,
        infinite: Number.NEGATIVE_INFINITY,
        half: 0.5,
        text: 'ü😀\0',
        none: '',
        bytes: Buffer.from([0, 1, 255]),
        place: new GeoPoint(1.5, -2.5),
        list: [1, 'a', null, { x: [] }],
        empty: [],
        map: { inner: {} },
        vector: FieldValue.vector([1, 2.5, 3]),
        reference: c.doc('other/sub/deep'),
        date: new Date('2024-02-29T12:00:00.123Z'),
      }
      await c.doc('a').set({ ...values, precise: new Timestamp(12, 123456789) })
      const { date, precise, zero, ...found } = (await c.doc('a').get()).data() ?? {}
      const { date: _, zero: __, ...expected } = values

      expect(found).toEqual(expected)
      expect(Object.is(zero, -0)).toBe(true)
      expect(date.toDate()).toEqual(values.date)
      expect(precise).toEqual(new Timestamp(12, 123456000))
    },
  },
  {
    id: 'B03 B05',
    it: 'keeps the limits of int64 exact',
    run: async ({ c, host }) => {
      const db = connect(host, { useBigInt: true })
      const reference = db.doc(`${c.id}/a`)
      const limits = { low: -(2n ** 63n), high: 2n ** 63n - 1n, minus: -1n }
      await reference.set(limits)
      const found = (await reference.get()).data()
      await db.terminate()

      expect(found).toEqual(limits)
    },
  },
  {
    id: 'B04 B11 B12',
    it: 'refuses arrays in arrays, reserved and empty field names',
    run: async (at) => {
      const inner = { arrayValue: { values: [{ integerValue: 1 }] } }
      const array = { arrayValue: { values: [inner] } }

      expect(await code(rawSet(at, 'a', { l: array }))).toBe('INVALID_ARGUMENT')
      expect(await code(at.c.doc('a').set({ __x__: 1 }))).toBe('INVALID_ARGUMENT')
      expect(await code(rawSet(at, 'a', { '': { integerValue: 1 } }))).toBe('INVALID_ARGUMENT')
    },
  },
  {
    id: 'B06 B07 B09',
    it: 'takes long strings up to the size of a document',
    run: async ({ c }) => {
      expect(await code(c.doc('a').set({ s: 'x'.repeat(1_048_376) }))).toBe('OK')
      expect(await code(c.doc('b').set({ s: 'x'.repeat(1_048_577) }))).toBe('INVALID_ARGUMENT')
      expect(await code(c.doc('d').set({ s: 'x'.repeat(5000) }))).toBe('OK')
    },
  },
  {
    id: 'B08',
    it: 'counts the size of a document to the byte',
    run: async ({ c }) => {
      const overhead = 16 + c.id.length + 1 + 2 + 2 * (2 + 1) + 32
      const outcomes = []
      for (const more of [-16, 0, 1, 16]) {
        const rest = MIB + more - overhead - 500_000
        outcomes.push(await code(c.doc('a').set({ x: 'x'.repeat(500_000), y: 'y'.repeat(rest) })))
      }

      expect(outcomes).toEqual(['OK', 'OK', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'])
    },
  },
  {
    id: 'B10',
    it: 'takes maps nested 20 deep and no deeper',
    run: async (at) => {
      const outcomes = []
      for (const depth of [19, 20, 21, 30])
        outcomes.push(await code(rawSet(at, 'a', { m: nested(depth) })))

      expect(outcomes).toEqual(['OK', 'OK', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'])
    },
  },
  {
    id: 'B15 B16',
    it: 'takes field names of 1500 bytes and 20 000 fields',
    run: async ({ c }) => {
      const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`f${n}`, n]))

      expect(await code(c.doc('a').set({ ['f'.repeat(1500)]: 1 }))).toBe('OK')
      expect(await code(c.doc('a').set({ ['f'.repeat(1501)]: 1 }))).toBe('INVALID_ARGUMENT')
      expect(await code(c.doc('b').set(many))).toBe('OK')
    },
  },
  {
    id: 'C01 C05 C06 C14 C15 C16',
    it: 'takes unusual document ids',
    run: async (at) => {
      const names = ['ok', '__x', 'x__', 'a b?#%', 'nul\0nul', '__id7__', '__id12__']
      const outcomes = []
      for (const id of names) outcomes.push(await rawName(at, `${at.c.id}/${id}`))
      const listed = (await at.c.get()).docs.map(({ ref }) => ref.id)

      expect(outcomes).toEqual(names.map(() => 'OK'))
      expect(listed.slice(0, 2)).toEqual(['__id7__', '__id12__'])
      expect(listed.slice(2)).toEqual(['__x', 'a b?#%', 'nul\0nul', 'ok', 'x__'])
    },
  },
  {
    id: 'C02 C03 C04 C11 C12 C13',
    it: 'refuses reserved, empty and incomplete names',
    run: async (at) => {
      const paths = ['.', '..', '__x__', ''].map((id) => `${at.c.id}/${id}`)
      const others = [at.c.id, `${at.c.id}/a/b`, '__c__/a']
      const outcomes = []
      for (const path of [...paths, ...others]) outcomes.push(await rawName(at, path))

      expect(outcomes).toEqual(outcomes.map(() => 'INVALID_ARGUMENT'))
    },
  },
  {
    id: 'C07 C08 C09 C10',
    it: 'counts the bytes of a document id, not its characters',
    run: async (at) => {
      const outcomes = []
      for (const id of ['a'.repeat(1500), 'ü'.repeat(750), 'a'.repeat(1501), 'ü'.repeat(751)])
        outcomes.push(await rawName(at, `${at.c.id}/${id}`))

      expect(outcomes).toEqual(['OK', 'OK', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'])
    },
  },
  {
    id: 'C17 C18 C19',
    it: 'makes ids of 20 characters, and keeps projects and databases apart',
    run: async ({ c, host }) => {
      const project = connect(host, { projectId: `demo-${randomBytes(4).toString('hex')}` })
      const database = connect(host, { databaseId: 'other' })
      const { id } = await c.add({ n: 1 })
      await project.doc(`${c.id}/${id}`).set({ n: 2 })
      const elsewhere = await database.doc(`${c.id}/${id}`).get()
      const here = await c.doc(id).get()
      await Promise.all([project.terminate(), database.terminate()])

      expect(id).toHaveLength(20)
      expect(elsewhere.exists).toBe(false)
      expect(here.get('n')).toBe(1)
    },
  },
  {
    id: 'C20',
    it: 'nests collections 100 deep and no deeper',
    run: async (at) => {
      const path = (depth: number) => Array.from({ length: depth }, () => `${at.c.id}/d`).join('/')

      expect(await rawName(at, path(100))).toBe('OK')
      expect(await rawName(at, path(101))).toBe('INVALID_ARGUMENT')
    },
  },
]
