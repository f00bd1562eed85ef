/** Calls to Firestore that each request makes, beside those that the contract allows it (section 7). */
import { type Call, call, randomName, text } from '../app.ts'
import { startFaultyApp } from '../faults/faulty-app.ts'
import type { Row } from './image.ts'

const PASSWORD = 'correct horse battery'

export async function benchRoundTrips(): Promise<Row[]> {
  const app = await startFaultyApp()
  const rows: Row[] = []
  const { calls } = app.firestore.rules
  const ask = async (name: string, allowed: number, path: string, options: Call) => {
    const before = calls.length
    const [method = '', target = ''] = path.split(' ')
    const answer = await call(app.url, method, target, options)
    const ours = calls.length - before
    const shown = `calls to Firestore of ${name}, beside the contract's`
    rows.push({ name: shown, ours, other: allowed, unit: '', ratio: ours / allowed })
    return answer
  }
  try {
    const json = { username: randomName(), password: PASSWORD }
    await ask('a registration', 3, 'POST /registration', { json })
    const signedIn = await ask('a login', 4, 'POST /login', { json })
    const token = text(signedIn, 'access_token')
    await ask('the first use of a token', 3, 'GET /sessions', { token })
    await ask('the list of devices', 2, 'GET /sessions', { token })
    await ask('a refresh', 2, 'POST /token/refresh', { token: text(signedIn, 'refresh_token') })
    await ask('a logout', 2, 'POST /logout/access', { token })
    return rows
  } finally {
    await app.close()
  }
}
