import { afterAll, beforeAll, expect, test } from 'vitest'
import { call, registerUser, type User } from '../app.ts'
import type { FaultProxy } from './fault.ts'
import { type FaultyApp, startFaultyApp } from './faulty-app.ts'
import { minimalPng } from './photos.ts'

let app: FaultyApp
let user: User
beforeAll(async () => {
  app = await startFaultyApp({ UPLOAD_LIMIT: '1000/minute' })
  user = await registerUser(app.url)
})
afterAll(() => app.close())

type Row = {
  readonly of: 'firestore' | 'storage'
  readonly hanging: RegExp
  readonly send: () => Promise<{ readonly status: number }>
}

const upload = () =>
  call(app.url, 'POST', '/file', {
    token: user.accessToken,
    body: minimalPng(),
    headers: { 'content-type': 'image/png' },
  })
const announce = () =>
  call(app.url, 'POST', '/uploads', {
    token: user.accessToken,
    json: { content_type: 'image/png', bytes: 100 },
  })
const account = () => call(app.url, 'GET', '/account', { token: user.accessToken })
const photos = () => call(app.url, 'GET', '/photos', { token: user.accessToken })

const ROWS: readonly Row[] = [
  { of: 'firestore', hanging: /^BatchGetDocuments$/, send: account },
  { of: 'firestore', hanging: /^RunQuery$/, send: photos },
  { of: 'firestore', hanging: /^Commit$/, send: upload },
  { of: 'storage', hanging: /^POST .*uploadType=resumable/, send: upload },
  { of: 'storage', hanging: /^PUT /, send: upload },
  { of: 'storage', hanging: /^POST .*uploadType=resumable/, send: announce },
]

async function answerWhile(proxy: FaultProxy, row: Row): Promise<number> {
  proxy.rules.add(row.hanging, { kind: 'hang' })
  try {
    return (await row.send()).status
  } finally {
    proxy.rules.heal()
  }
}

/** Ten times the budget of a JSON request: what is shown is that the wait ends, not how fast this machine is. */
const PATIENCE_MS = 150_000

test('DATA-04 whatever call hangs, the caller gets a 503 and nothing keeps waiting behind it', {
  timeout: 400_000,
}, async () => {
  for (const row of ROWS) {
    const proxy = row.of === 'firestore' ? app.firestore : app.storage
    const late = new Promise<never>((_, reject) => {
      setTimeout(
        () => reject(new Error(`no answer while ${row.hanging} hangs`)),
        PATIENCE_MS,
      ).unref()
    })

    const status = await Promise.race([answerWhile(proxy, row), late])

    expect(status, `${row.of} ${row.hanging}`).toBe(503)
  }
  await expect
    .poll(() => [app.firestore.open(), app.storage.open()], { timeout: 60_000 })
    .toEqual([0, 0])
  expect((await account()).status).toBe(200)
})
