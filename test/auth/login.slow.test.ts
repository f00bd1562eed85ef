import { readFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { randomName } from '../app.ts'
import { logIn, register, test } from './local.ts'
import { compareTimes, MOST_PAIRS } from './times.ts'

/** From Linux's process table; 0 on other systems, where only the answers are looked at. */
function residentMegabytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  if (process.platform !== 'linux') return 0
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024
}

describe('login', () => {
  test('AUTH-02 takes as long for an unknown name as for a wrong password', {
    timeout: 300_000,
  }, async ({ local }) => {
    // Four failures of one account cost nothing yet but their place (RL-05).
    const known = Array.from({ length: MOST_PAIRS / 4 }, randomName)
    for (const username of known) await register(local.url, username)
    let turn = 0
    const wrongPassword = () => {
      turn += 1
      return logIn(local.url, known[turn % known.length] ?? '', { password: 'not the password' })
    }

    const { ratio, p } = await compareTimes(
      () => logIn(local.url, randomName(), { password: 'not the password' }),
      wrongPassword,
    )

    expect(Math.abs(ratio - 1)).toBeLessThan(0.1)
    expect(p).toBeGreaterThan(0.01)
  })

  test('PW-05 of 200 at once runs a few, makes a few wait and tells the rest to come again', {
    timeout: 120_000,
  }, async ({ local }) => {
    const { url, process: instance } = await local.startInstance()
    const { pid } = instance
    const username = randomName()
    await register(url, username)
    await logIn(url, username)
    const before = residentMegabytes(pid, 'VmRSS')

    const answers = await Promise.all(
      Array.from({ length: 200 }, () => logIn(url, username, { password: 'not the password' })),
    )

    const statuses = new Set(answers.map(({ status }) => status))
    const busy = answers.filter(({ status }) => status === 503)
    expect([...statuses].filter((status) => ![401, 429, 503].includes(status))).toEqual([])
    for (const { body, headers } of busy) {
      expect(body).toMatchObject({ code: 'unavailable', retryable: true })
      expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    }
    expect((await logIn(url, username)).status).not.toBe(500)
    expect(residentMegabytes(pid, 'VmHWM') - before).toBeLessThan(80)
  })
})
