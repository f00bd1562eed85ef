/** Every call that needs a signed-in user, as a client would send it. */
import { type Answer, type Call, call } from '../app.ts'

type Protected = { readonly method: string; readonly path: string; readonly with?: Call }

const JSON_BODY = { json: { content_type: 'image/png', bytes: 1000 } }
const PASSWORDS = { json: { current_password: 'guess', new_password: 'a fresh long password' } }
const IMAGE = { body: Buffer.from('not read'), headers: { 'content-type': 'image/png' } }

/** Of all functions that ask for an access token; `/logout/access` is 200 again for an ended session. */
export const PROTECTED: readonly Protected[] = [
  { method: 'GET', path: '/account' },
  { method: 'GET', path: '/account/export' },
  { method: 'PUT', path: '/account/password', with: PASSWORDS },
  { method: 'DELETE', path: '/account', with: { json: { password: 'guess' } } },
  { method: 'GET', path: '/sessions' },
  { method: 'DELETE', path: '/sessions/A1b2C3d4E5f6G7h8I9j0KA' },
  { method: 'DELETE', path: '/sessions' },
  { method: 'GET', path: '/photos' },
  { method: 'GET', path: '/photos/A1b2C3d4E5f6G7h8I9j0KA' },
  { method: 'DELETE', path: '/photos/A1b2C3d4E5f6G7h8I9j0KA' },
  { method: 'GET', path: '/photos/A1b2C3d4E5f6G7h8I9j0KA/content' },
  { method: 'POST', path: '/file', with: IMAGE },
  { method: 'POST', path: '/uploads', with: JSON_BODY },
  { method: 'POST', path: '/uploads/A1b2C3d4E5f6G7h8I9j0KA/complete' },
  { method: 'GET', path: '/users' },
  { method: 'DELETE', path: '/users' },
]

const PARALLEL = 8

/** Calls after each event that ends sessions. */
export const COUNT = process.env['FULL'] === '1' ? 1000 : 100
/** The tally of as many refusals. */
export const ENDED = { '401 session_ended': COUNT }

/** The status of a refresh. */
export async function refresh(url: string, token: string): Promise<number> {
  return (await call(url, 'POST', '/token/refresh', { token })).status
}

/** Calls every function in turn with the token until `count` calls were answered; their answers. */
export async function callAll(url: string, token: string, count: number): Promise<Answer[]> {
  const answers: Answer[] = []
  while (answers.length < count) {
    const batch = Array.from({ length: Math.min(PARALLEL, count - answers.length) }, (_, index) => {
      return PROTECTED[(answers.length + index) % PROTECTED.length]
    })
    const calls = batch.flatMap((one) => {
      return one === undefined ? [] : [call(url, one.method, one.path, { ...one.with, token })]
    })
    answers.push(...(await Promise.all(calls)))
  }
  return answers
}

/** How many answers there were of each status and code. */
export function tally(answers: readonly Answer[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>()
  for (const { status, body } of answers) {
    const key = `${status} ${String(body['code'])}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return Object.fromEntries(counts)
}
