import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { connect, openEmbedded } from './firestore-target.ts'

const PROCESSES = 4
const WRITERS = 25
const SCRIPT = fileURLToPath(new URL('./firestore-writer.ts', import.meta.url))

test(`${PROCESSES * WRITERS} parallel writers in ${PROCESSES} processes lose nothing and pass no limit`, async () => {
  const target = await openEmbedded({ idleMs: 60_000 })
  const db = connect(target.host)
  onTestFinished(async () => {
    await db.terminate()
    await target.close()
  })
  await db.doc('counters/shared').set({ plain: 0, transactional: 0 })

  const children = Array.from({ length: PROCESSES }, () =>
    spawn(process.execPath, [SCRIPT, target.host, String(WRITERS)], { stdio: 'inherit' }),
  )
  const codes = await Promise.all(children.map((child) => once(child, 'exit')))
  const counted = (await db.doc('counters/shared').get()).data()
  const passed = (await db.collection('passed').get()).size

  expect(codes.map(([code]) => code)).toEqual(codes.map(() => 0))
  expect(counted).toEqual({ plain: PROCESSES * WRITERS, transactional: PROCESSES * WRITERS })
  expect(passed).toBe(7)
}, 300_000)
