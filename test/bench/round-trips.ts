/** Calls to Firestore that each request makes, beside those that the contract allows it (section 7). */
import { call, randomName, text } from '../app.ts'
import {
  callsDuring,
  logIn,
  refresh,
  register,
  startLocal,
  tokensOf,
  useToken,
} from '../auth/local.ts'
import type { Row } from './image.ts'

export async function benchRoundTrips(): Promise<Row[]> {
  const local = await startLocal()
  try {
    const { url } = local
    const username = randomName()
    await register(url, randomName())
    const rows: Row[] = []
    const count = async (name: string, allowed: number, work: () => Promise<unknown>) => {
      const ours = (await callsDuring(local, work)).length
      const shown = `calls to Firestore of ${name}, beside the contract's`
      rows.push({ name: shown, ours, other: allowed, unit: '', ratio: ours / allowed })
    }
    await count('a registration', 3, () => register(url, username))
    await count('a login', 4, () => logIn(url, username))
    const { access, refresh: token } = tokensOf(await logIn(url, username))
    await count('a first use of a token', 3, () => useToken(url, access))
    await count('a list of devices', 2, () => useToken(url, access))
    const rotated = await refresh(url, token)
    await count('a refresh', 2, () => refresh(url, text(rotated, 'refresh_token')))
    await count('a logout', 2, () => call(url, 'POST', '/logout/access', { token: access }))
    return rows
  } finally {
    await local.close()
  }
}
