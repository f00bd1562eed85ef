import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { QueryDocumentSnapshot } from '@google-cloud/firestore'
import { expect, onTestFinished, test } from 'vitest'
import { type FirestoreOptions, startFirestore } from '../../infra/local/firestore/server.ts'
import { code, openRaw } from './firestore-raw.ts'
import { spawnFirestore } from './firestore-spawn.ts'
import { connect, temporaryDirectory } from './firestore-target.ts'

async function directory(): Promise<string> {
  const dataDir = await temporaryDirectory()
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  return dataDir
}

/** A server with a client; both end with the test, or before it by `close`. */
async function open(options: FirestoreOptions) {
  const server = await startFirestore(options)
  const host = `127.0.0.1:${server.port}`
  const db = connect(host)
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    await db.terminate()
    await server.close()
  }
  onTestFinished(close)
  return { server, host, db, close }
}

test('P1 a second server on the same directory says that it is taken', async () => {
  const dataDir = await directory()
  const { close } = await open({ dataDir })

  await expect(startFirestore({ dataDir })).rejects.toThrow('already uses')
  await expect(spawnFirestore(dataDir)).rejects.toThrow('already uses')
  await close()
  await expect(open({ dataDir })).resolves.toBeDefined()
})

test('P1 a killed server leaves no lock behind', async () => {
  const dataDir = await directory()
  const first = await spawnFirestore(dataDir)
  await first.kill()

  const { db } = await open({ dataDir })

  expect(await code(db.doc('a/a').set({ n: 1 }))).toBe('OK')
})

test('P3 only 127.0.0.1 answers, and no other host is accepted', async () => {
  const dataDir = await directory()
  const { server } = await open({ dataDir })
  const socket = createConnection(server.port, '127.0.0.2')
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.on('connect', () => resolve('connected'))
  socket.on('error', () => resolve('refused'))
  socket.setTimeout(2000, () => resolve('refused'))
  const outcome = await promise
  socket.destroy()

  expect(outcome).toBe('refused')
  await expect(startFirestore({ dataDir, host: '0.0.0.0' })).rejects.toThrow('loopback')
})

test('P4 a server closes while clients are connected and wait for locks', async () => {
  const server = await startFirestore({ dataDir: await directory() })
  const raw = openRaw(`127.0.0.1:${server.port}`)
  const database = 'projects/demo-contract/databases/(default)'
  const name = `${database}/documents/a/a`
  const reading = { database, documents: [name], newTransaction: {} }
  await raw.call('BatchGetDocuments', reading)
  const waiting = code(raw.call('Commit', { database, writes: [{ update: { name } }] }))
  await expect.poll(() => server.requests.length).toBe(2)

  await server.close()

  expect(await waiting).not.toBe('OK')
  raw.close()
})

test('P5 a taken port is an error at once, and leaves the directory free', async () => {
  const [first, second] = [await directory(), await directory()]
  const { server } = await open({ dataDir: first })

  await expect(startFirestore({ dataDir: second, port: server.port })).rejects.toThrow('EADDRINUSE')
  await expect(open({ dataDir: second })).resolves.toBeDefined()
})

test('P6 documents and indexes are there after a restart, and the clock goes on from a future one', async () => {
  const dataDir = await directory()
  const before = await open({ dataDir })
  await before.db.doc('a/a').set({ n: 1, s: 'x' })
  await before.db.collection('a').where('s', '==', 'x').get()
  await before.close()
  const future = (Date.now() + 3_600_000) * 1000
  const file = new DatabaseSync(join(dataDir, 'firestore.db'))
  file.prepare("UPDATE meta SET value = ? WHERE name = 'clock'").run(future)
  file.close()

  const { db } = await open({ dataDir })
  const { writeTime } = await db.doc('a/b').set({ n: 2, s: 'x' })
  const found = await db.collection('a').where('s', '==', 'x').get()

  expect(found.docs.map(({ id }) => id)).toEqual(['a', 'b'])
  expect(writeTime.seconds * 1_000_000 + writeTime.nanoseconds / 1000).toBeGreaterThan(future)
})

test('P7 sweep deletes expired documents only', async () => {
  const ttl = [{ collectionGroup: 'sessions', field: 'purge_at' }]
  const { db, server } = await open({ dataDir: await directory(), ttl })
  const now = new Date('2030-01-01T00:00:00Z')
  const at = (ms: number) => new Date(now.getTime() + ms)
  await Promise.all([
    db.doc('sessions/old').set({ purge_at: at(-1) }),
    db.doc('sessions/due').set({ purge_at: now }),
    db.doc('sessions/young').set({ purge_at: at(1) }),
    db.doc('sessions/text').set({ purge_at: '2020-01-01' }),
    db.doc('sessions/none').set({ n: 1 }),
    db.doc('users/u/sessions/old').set({ purge_at: at(-1000) }),
    db.doc('others/old').set({ purge_at: at(-1) }),
  ])

  const deleted = await server.sweep(now)

  expect(deleted).toBe(3)
  expect((await db.collection('sessions').get()).docs.map(({ id }) => id)).toEqual([
    'none',
    'text',
    'young',
  ])
  expect((await db.doc('others/old').get()).exists).toBe(true)
})

test('it does not start inside Cloud Run', async () => {
  process.env['K_SERVICE'] = 'login'
  onTestFinished(() => {
    delete process.env['K_SERVICE']
  })

  await expect(startFirestore({ dataDir: await directory() })).rejects.toThrow('Cloud Run')
})

test('a full disk refuses writes at once, loses nothing and still answers new queries', async () => {
  const dataDir = await directory()
  const small = await open({ dataDir, maxBytes: 400_000 })
  const written: string[] = []
  let outcome = 'OK'
  for (let n = 0; outcome === 'OK' && n < 1000; n += 1) {
    outcome = await code(small.db.doc(`a/d${n}`).create({ n, s: 'x'.repeat(2000) }))
    if (outcome === 'OK') written.push(`d${n}`)
  }
  const again = await code(
    small.db.runTransaction(async (t) => t.create(small.db.doc('a/x'), { s: 'x'.repeat(90_000) })),
  )
  const found = await small.db.collection('a').orderBy('n').select('n').get()
  await small.close()
  const { db } = await open({ dataDir })
  const after = await db.collection('a').orderBy('n').select('n').get()

  expect([outcome, again]).toEqual(['PERMISSION_DENIED', 'PERMISSION_DENIED'])
  expect(written.length).toBeGreaterThan(20)
  expect(found.docs.map(({ id }) => id)).toEqual(written)
  expect(after.docs.map(({ id }) => id)).toEqual(written)
  expect(await code(db.doc('a/x').create({ n: -1 }))).toBe('OK')
})

test('abortNext makes a transaction run again', async () => {
  const { db, server } = await open({ dataDir: await directory() })
  let attempts = 0
  server.abortNext(1)
  await db.runTransaction(async (t) => {
    attempts += 1
    await t.get(db.doc('a/a'))
    t.set(db.doc('a/a'), { attempts })
  })

  expect(attempts).toBe(2)
  expect((await db.doc('a/a').get()).get('attempts')).toBe(2)
})

test('the request log holds one entry a call', async () => {
  const { db, server } = await open({ dataDir: await directory() })
  await db.doc('a/a').set({ n: 1 })
  await db.getAll(db.doc('a/a'), db.doc('a/b'))
  await db.collection('a').get()

  expect(server.requests.map(({ method }) => method)).toEqual([
    'Commit',
    'BatchGetDocuments',
    'RunQuery',
  ])
})

test('a long result shows one moment, whatever is written while it streams', async () => {
  const { db } = await open({ dataDir: await directory() })
  for (let start = 0; start < 3000; start += 500) {
    const batch = db.batch()
    for (let n = start; n < start + 500; n += 1)
      batch.set(db.doc(`a/d${n}`), { n, v: 'old', s: 'x'.repeat(300) })
    await batch.commit()
  }
  const seen: string[] = []
  let changed: Promise<unknown> | undefined
  for await (const document of db.collection('a').orderBy('n', 'desc').stream()) {
    changed ??= Promise.all([db.doc('a/d1').update({ v: 'new' }), db.doc('a/d0').delete()])
    if (seen.length === 100) await changed
    if (document instanceof QueryDocumentSnapshot) seen.push(String(document.get('v')))
  }

  expect(seen).toHaveLength(3000)
  expect(new Set(seen)).toEqual(new Set(['old']))
  expect((await db.doc('a/d1').get()).get('v')).toBe('new')
})

test('a transaction that would close a circle of waiters gives way, and all succeed in the end', async () => {
  const { db } = await open({ dataDir: await directory() })
  await Promise.all([db.doc('a/a').set({ n: 0 }), db.doc('a/b').set({ n: 0 })])
  const both = (first: string, second: string) =>
    db.runTransaction(async (t) => {
      const one = await t.get(db.doc(`a/${first}`))
      const two = await t.get(db.doc(`a/${second}`))
      t.update(one.ref, { n: one.get('n') + 1 }).update(two.ref, { n: two.get('n') + 1 })
    })

  await Promise.all([both('a', 'b'), both('b', 'a'), both('a', 'b'), both('b', 'a')])

  expect((await db.doc('a/a').get()).get('n')).toBe(4)
  expect((await db.doc('a/b').get()).get('n')).toBe(4)
})

test('a write waits for its own document only, however many others wait', async () => {
  const { db, host, server } = await open({ dataDir: await directory(), idleMs: 60_000 })
  const raw = openRaw(host)
  const database = 'projects/demo-contract/databases/(default)'
  const name = `${database}/documents/a/a`
  const reading = { database, documents: [name], newTransaction: {} }
  const [begun] = await raw.call('BatchGetDocuments', reading)
  const waiting = db.doc('a/a').set({ n: 1 })
  await expect.poll(() => server.requests.length).toBe(2)

  await db.doc('a/b').set({ n: 1 })
  await db.runTransaction(async (t) => t.update((await t.get(db.doc('a/b'))).ref, { n: 2 }))
  const meanwhile = await db.getAll(db.doc('a/a'), db.doc('a/b'))
  await raw.call('Rollback', { database, transaction: begun?.['transaction'] })
  await waiting
  raw.close()

  expect(meanwhile.map((document) => document.get('n'))).toEqual([undefined, 2])
  expect((await db.doc('a/a').get()).get('n')).toBe(1)
})

test('a refused commit ends its transaction, too', async () => {
  const { db, host } = await open({ dataDir: await directory(), idleMs: 60_000 })
  const raw = openRaw(host)
  onTestFinished(() => raw.close())
  const database = 'projects/demo-contract/databases/(default)'
  const name = `${database}/documents/a/a`
  const reading = { database, documents: [name], newTransaction: {} }
  const [begun] = await raw.call('BatchGetDocuments', reading)
  const transaction = begun?.['transaction']
  const update = { name, fields: { __bad__: { integerValue: 1 } } }
  const refused = await code(raw.call('Commit', { database, writes: [{ update }], transaction }))

  expect(refused).toBe('INVALID_ARGUMENT')
  expect(await code(db.doc('a/a').set({ n: 1 }))).toBe('OK')
})

test('compressed requests are read', async () => {
  const { db, host } = await open({ dataDir: await directory() })
  const raw = openRaw(host, { 'grpc.default_compression_algorithm': 2 })
  onTestFinished(() => raw.close())
  const database = 'projects/demo-contract/databases/(default)'
  const update = {
    name: `${database}/documents/a/a`,
    fields: { s: { stringValue: 'x'.repeat(5000) } },
  }
  await raw.call('Commit', { database, writes: [{ update }] })

  expect((await db.doc('a/a').get()).get('s')).toBe('x'.repeat(5000))
})

test('a write whose caller has gone is not made up for when the lock is free', async () => {
  const { db, host } = await open({ dataDir: await directory() })
  const database = 'projects/demo-contract/databases/(default)'
  const name = `${database}/documents/a/a`
  const raw = openRaw(host)
  const [begun] = await raw.call('BatchGetDocuments', {
    database,
    documents: [name],
    newTransaction: {},
  })
  const gone = await code(raw.call('Commit', { database, writes: [{ update: { name } }] }, 300))
  await raw.call('Rollback', { database, transaction: begun?.['transaction'] })
  raw.close()

  expect(gone).toBe('DEADLINE_EXCEEDED')
  expect((await db.doc('a/a').get()).exists).toBe(false)
})

test('a database of another version is refused', async () => {
  const dataDir = await directory()
  const before = await open({ dataDir })
  await before.close()
  const file = new DatabaseSync(join(dataDir, 'firestore.db'))
  file.exec('PRAGMA user_version = 99')
  file.close()

  await expect(startFirestore({ dataDir })).rejects.toThrow('another version')
})

test('malformed requests are refused clearly, and the server goes on', async () => {
  const { db, host } = await open({ dataDir: await directory() })
  const raw = openRaw(host)
  onTestFinished(() => raw.close())
  let deep = Buffer.from([0x58, 0])
  for (let depth = 0; depth < 300; depth += 1) {
    const length =
      deep.length < 128 ? [deep.length] : [(deep.length % 128) | 0x80, deep.length >> 7]
    deep = Buffer.concat([Buffer.from([0x0a, ...length]), deep])
  }

  const [hostname = '', port] = host.split(':')
  const plain = createConnection(Number(port), hostname)
  plain.on('error', () => undefined)
  plain.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const other = `projects/demo-contract/databases/(default)/documents/b/a`
  const elsewhere = {
    field: { fieldPath: '__name__' },
    op: 'EQUAL',
    value: { referenceValue: other },
  }
  const structuredQuery = { from: [{ collectionId: 'a' }], where: { fieldFilter: elsewhere } }
  const parent = 'projects/demo-contract/databases/(default)/documents'

  expect(await code(raw.call('RunQuery', { parent, structuredQuery }))).toBe('INVALID_ARGUMENT')
  expect(await code(raw.send('Commit', Buffer.from([0x0a, 0xff])))).toBe('INVALID_ARGUMENT')
  expect(await code(raw.send('Commit', Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])))).toBe(
    'INVALID_ARGUMENT',
  )
  expect(await code(raw.send('Commit', deep))).toBe('INVALID_ARGUMENT')
  expect(await code(raw.call('RunQuery', { parent: 'nonsense' }))).toBe('INVALID_ARGUMENT')
  expect(await code(raw.call('BatchGetDocuments', { database: 'x' }))).toBe('INVALID_ARGUMENT')
  expect(await code(db.doc('a/a').set({ n: 1 }))).toBe('OK')
})

test('an unforeseen error is INTERNAL, in the log, and answered at once', async () => {
  const dataDir = await directory()
  const before = await open({ dataDir })
  await before.db.doc('a/a').set({ n: 1 })
  await before.close()
  const file = new DatabaseSync(join(dataDir, 'firestore.db'))
  file.exec("UPDATE docs SET created = 'never'")
  file.close()
  const lines: string[] = []
  const { host } = await open({ dataDir, log: (line) => lines.push(line) })
  const raw = openRaw(host)
  onTestFinished(() => raw.close())
  const name = 'projects/demo-contract/databases/(default)/documents/a/a'

  expect(await code(raw.call('GetDocument', { name }))).toBe('INTERNAL')
  expect(lines.join()).toContain('GetDocument')
})

test('the process ends by itself when its parent goes', async () => {
  const dataDir = await directory()
  const { child } = await spawnFirestore(dataDir)
  child.stdin?.end()

  const [status] = await once(child, 'exit')

  expect(status).toBe(0)
})
