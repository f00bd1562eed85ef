import { readFile } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { randomName } from '../app.ts'
import { startNode } from '../processes.ts'
import { test as base } from '../with-app.ts'
import { members, type Operation, pointerOf, servedDescription } from './description.ts'
import { type Answer, observe, type Sent } from './observe.ts'

const PHOTO = await readFile('test/image/fixtures/camera-iphone-4s.jpg')
const PASSWORD = 'a long enough secret'

const test = base
  .extend('description', { scope: 'worker' }, async ({ app }) => await servedDescription(app.url))
  .extend('send', async ({ app, description }) => {
    const api = { url: app.url, description }
    return async (key: string, status: number, sent: Sent & { readonly path?: string } = {}) => {
      const answer = await observe(api, key, sent.path ?? key.split(' ')[1] ?? '', sent)
      expect({
        key,
        status: answer.status,
        complaints: answer.complaints,
        text: answer.text,
      }).toEqual({ key, status, complaints: [], text: answer.text })
      return answer
    }
  })

function text(answer: Answer, ...path: readonly string[]): string {
  const value = path.reduce<unknown>((at, name) => members(at)[name], answer.body)
  if (typeof value !== 'string') throw new TypeError(`no ${path.join('.')} in ${answer.text}`)
  return value
}

function form(bytes: Uint8Array<ArrayBuffer>): FormData {
  const built = new FormData()
  built.append('file', new Blob([bytes]), 'beach.jpg')
  return built
}

/** The examples of an operation's bodies, each with the pointer to its schema. */
function examplesOf({ path, method, spec }: Operation) {
  const at = ['paths', path, method.toLowerCase()]
  const places: readonly (readonly [readonly string[], unknown])[] = [
    [[...at, 'requestBody'], spec['requestBody']],
    ...Object.entries(members(spec['responses'])).map(
      ([status, response]) => [[...at, 'responses', status], response] as const,
    ),
  ]
  return places.flatMap(([parts, holder]) =>
    Object.entries(members(members(holder)['content'])).flatMap(([type, media]) => {
      const { example } = members(media)
      const pointer = pointerOf(...parts, 'content', type, 'schema')
      return example === undefined ? [] : [{ pointer, example }]
    }),
  )
}

describe('the API description', () => {
  test('has only examples that their own schemas take', ({ description }) => {
    const examples = description.operations.flatMap(examplesOf)
    const wrong = examples.flatMap(({ pointer, example }) =>
      description.valueComplaints(pointer, example).map((line) => `${pointer}: ${line}`),
    )
    expect(wrong).toEqual([])
    expect(examples.length).toBeGreaterThan(25)
  })

  test('has an example for every JSON body that is sent or answered', ({ description }) => {
    const bare = description.operations.flatMap(({ key, spec }) => {
      const holders = [spec['requestBody'], ...Object.values(members(spec['responses']))]
      const media = holders.map((holder) => members(members(holder)['content'])['application/json'])
      const without = media.some(
        (one) => one !== undefined && members(one)['example'] === undefined,
      )
      return without && key !== 'GET /openapi.json' ? [key] : []
    })
    expect(bare).toEqual([])
  })

  test('is the checked-in file', async ({ description }) => {
    const file: unknown = JSON.parse(await readFile('shared/page/openapi.json', 'utf8'))
    expect(description.document).toEqual(file)
  })

  test('describes what the service answers to anyone', async ({ send }) => {
    const welcome = await send('GET /', 200)
    await send('GET /', 200, { headers: { accept: 'text/html' } })
    await send('GET /', 406, { headers: { accept: 'image/png' } })
    await send('GET /.well-known/jwks.json', 200)
    await send('GET /openapi.json', 200)

    const links = Object.values(members(welcome.body['links'])).map((link) => {
      return new URL(String(link)).pathname
    })
    expect(links.length).toBeGreaterThan(10)
  })

  test('describes sign-up, sign-in, refresh, devices and sign-out', async ({ send }) => {
    const json = { username: randomName(), password: PASSWORD, device_name: 'My phone' }
    await send('POST /registration', 201, { json })
    await send('POST /registration', 409, { json })
    await send('POST /registration', 422, { json: { ...json, password: 'password1' } })
    await send('POST /registration', 400, { json: { ...json, password: 1 } })
    await send('POST /registration', 415, { body: 'username=a' })
    await send('POST /login', 401, { json: { ...json, password: 'another secret' } })
    const first = await send('POST /login', 200, { json })
    const other = await send('POST /login', 200, { json })
    const pair = await send('POST /token/refresh', 200, { token: text(first, 'refresh_token') })
    const again = { refresh_token: text(pair, 'refresh_token') }
    await send('POST /token/refresh', 401, { token: 'no token of ours' })
    await send('POST /token/refresh', 200, { json: again })
    const token = text(pair, 'access_token')
    const devices = await send('GET /sessions', 200, { token })
    expect(devices.body['sessions']).toHaveLength(3)
    const path = `/sessions/${'A'.repeat(22)}`
    await send('DELETE /sessions/{id}', 404, { token, path })
    await send('DELETE /sessions', 400, { token, path: '/sessions?except=all' })
    await send('DELETE /sessions', 204, { token, path: '/sessions?except=current' })
    await send('GET /sessions', 401, { token: text(other, 'access_token') })
    await send('POST /logout/access', 200, { token })
    await send('POST /logout/access', 401)
    await send('POST /logout/refresh', 200, { json: again })
    await send('POST /logout/refresh', 401)
  })

  test('describes uploads, whole and large ones, and photos', async ({ send, user }) => {
    const token = user.accessToken
    const keyed = { token, headers: { 'idempotency-key': 'once' } }
    const made = await send('POST /file', 201, { ...keyed, body: form(PHOTO) })
    await send('POST /file', 200, { ...keyed, body: form(PHOTO) })
    const image = { token, headers: { 'content-type': 'image/jpeg' } }
    await send('POST /file', 422, { ...image, body: PHOTO.subarray(0, 3000) })
    await send('POST /file', 415, { ...image, body: 'no image at all, whatever it says' })
    await send('POST /file', 400, { ...image, body: '' })

    const announced = { content_type: 'image/jpeg', bytes: PHOTO.length, original_name: 'b.jpg' }
    const headers = { 'idempotency-key': 'large' }
    const upload = await send('POST /uploads', 201, { token, headers, json: announced })
    await send('POST /uploads', 200, { token, headers, json: announced })
    await send('POST /uploads', 415, { token, json: { ...announced, content_type: 'text/html' } })
    await send('POST /uploads', 429, { token, json: announced })
    const complete = { token, path: `/uploads/${text(upload, 'id')}/complete` }
    await send('POST /uploads/{id}/complete', 409, complete)
    await fetch(text(upload, 'upload_url'), { method: 'PUT', body: new Uint8Array(PHOTO) })
    await send('POST /uploads/{id}/complete', 201, complete)
    await send('POST /uploads/{id}/complete', 200, complete)

    const page = await send('GET /photos', 200, { token, path: '/photos?page_size=1' })
    const next = text(page, 'next_page_token')
    await send('GET /photos', 200, { token, path: `/photos?page_token=${next}` })
    await send('GET /photos', 400, { token, path: '/photos?page_token=x' })
    const path = `/photos/${text(made, 'photo', 'id')}`
    await send('GET /photos/{id}', 200, { token, path })
    const content = { token, path: `${path}/content` }
    await send('GET /photos/{id}/content', 302, content)
    await send('GET /photos/{id}/content', 200, {
      ...content,
      headers: { accept: 'application/json' },
    })
    await send('GET /account/export', 200, { token })
    await send('DELETE /photos/{id}', 204, { token, path })
    await send('GET /photos/{id}', 404, { token, path })
  })

  test('describes the account up to its end', async ({ send, user }) => {
    const token = user.accessToken
    await send('GET /account', 200, { token })
    const change = { current_password: user.password, new_password: 'an even longer secret' }
    await send('PUT /account/password', 400, { token, json: {} })
    await send('PUT /account/password', 204, { token, json: change })
    await send('PUT /account/password', 401, { token, json: change })
    await send('DELETE /account', 413, { token, json: { password: 'x'.repeat(70_000) } })
    await send('DELETE /account', 204, { token, json: { password: 'an even longer secret' } })
    await send('GET /account', 401, { token })
  })

  test('describes what admins may do', async ({ app, send, user }) => {
    const token = user.accessToken
    await send('GET /users', 403, { token })
    const grant = startNode(['infra/run.js', 'admin', 'grant', user.username], {
      WOWMEDIA_DATA_DIR: app.dataDir,
    })
    expect(await grant.ended, grant.output()).toBe(0)
    await send('GET /users', 200, { token, path: '/users?page_size=1' })
    await send('GET /users', 400, { token, path: '/users?page_size=0' })
    await send('DELETE /users', 200, { token, path: '/users?dry_run=true' })
    await send('DELETE /users', 400, { token, path: '/users?dry_run=1' })
  })
})
