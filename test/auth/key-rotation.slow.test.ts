import { describe, expect } from 'vitest'
import { randomName, text } from '../app.ts'
import { startNode } from '../processes.ts'
import { test as base, type Local, refresh, register, startLocal, useToken } from './local.ts'

/** Its own servers: a rotation is for everybody. */
const test = base.extend('own', async ({}, { onCleanup }) => {
  const own = await startLocal()
  onCleanup(() => own.close())
  return own
})

async function keys(own: Local, ...args: string[]): Promise<string> {
  const started = startNode(['infra/run.js', 'keys', ...args], {
    ...own.environment,
    WOWMEDIA_DATA_DIR: own.dataDir,
  })
  const code = await started.ended
  if (code !== 0) throw new Error(started.output())
  return started.output()
}

const kidOf = (token: string) => {
  const [header = ''] = token.split('.')
  return String(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')).kid)
}

/** Refreshes and uses tokens on and on; every answer that is not 200, and every key that signed. */
function load(own: Local) {
  const refused: string[] = []
  const signedBy = new Set<string>()
  let going = true
  const run = async () => {
    let tokens = await register(own.url, randomName())
    while (going) {
      const token = text(tokens, 'access_token')
      signedBy.add(kidOf(token))
      const { status, body } = await useToken(own.url, token)
      if (status !== 200) refused.push(String(body['code']))
      // 60 refreshes a minute are the limit of one session.
      await new Promise((resolve) => setTimeout(resolve, 1_050))
      tokens = await refresh(own.url, text(tokens, 'refresh_token'))
    }
  }
  const ended = Promise.all(Array.from({ length: 4 }, run))
  const stop = async () => {
    going = false
    await ended
  }
  return { refused, signedBy, stop }
}

describe('keys', () => {
  test('KEY-03 are rotated and retired under load, and no token is refused', {
    timeout: 120_000,
  }, async ({ own }) => {
    const running = load(own)
    const waitForSigner = async (kid: string) => {
      await expect.poll(() => [...running.signedBy], { timeout: 20_000 }).toContain(kid)
    }

    const [, first = ''] = /^(\S{43}) {2}signs/m.exec(await keys(own, 'list')) ?? []
    await waitForSigner(first)
    await keys(own, 'rotate')
    const [, second = ''] = /^(\S{43}) {2}signs/m.exec(await keys(own, 'list')) ?? []
    await waitForSigner(second)
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    await keys(own, 'retire', first)
    await new Promise((resolve) => setTimeout(resolve, 6_000))
    await running.stop()

    expect(second).not.toBe(first)
    expect(running.refused).toEqual([])
    expect([...running.signedBy]).toEqual([first, second])
  })
})
