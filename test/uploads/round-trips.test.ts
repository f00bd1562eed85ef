import { expect } from 'vitest'
import { call, randomName, text } from '../app.ts'
import { callsDuring, register, test, tokensOf, useToken } from '../auth/local.ts'
import { form, photoOf, pngOf } from './stored-app.ts'

const READ = 'BatchGetDocuments'
const LIST = 'RunQuery'
const WRITE = 'Commit'
const CALLER = READ

test('round trips of uploads and photos are those of the contract, without contention', async ({
  local,
}) => {
  const { url } = local
  const { access: token } = tokensOf(await register(url, randomName()))
  await useToken(url, token)
  const during = (work: () => Promise<unknown>) => callsDuring(local, work)
  const send = (bytes: number, headers = {}) =>
    call(url, 'POST', '/file', { token, body: form(pngOf(bytes)), headers })
  const keyed = { 'idempotency-key': 'k' }
  const photo = photoOf(await send(500))

  const first = await during(() => send(1000))
  const withKey = await during(() => send(2000, keyed))
  const repeated = await during(() => send(2000, keyed))
  const refused = await during(() => send(1000, { 'idempotency-key': '!' }))
  const list = await during(() => call(url, 'GET', '/photos', { token }))
  const one = await during(() => call(url, 'GET', `/photos/${photo['id']}`, { token }))
  const address = await during(() => call(url, 'GET', `/photos/${photo['id']}/content`, { token }))
  const announced = await during(() =>
    call(url, 'POST', '/uploads', { token, json: { content_type: 'image/png', bytes: 700 } }),
  )

  expect(first).toEqual([CALLER, READ, WRITE, WRITE])
  expect(withKey).toEqual([CALLER, READ, WRITE, WRITE])
  expect(repeated).toEqual([CALLER, READ, WRITE])
  expect(refused).toEqual([CALLER])
  expect(list).toEqual([CALLER, LIST])
  expect(one).toEqual([CALLER, READ])
  expect(address).toEqual([CALLER, READ])
  expect(announced).toEqual([CALLER, READ, WRITE, WRITE])
})

test('completing a direct upload reads once and writes twice, besides the caller', async ({
  local,
}) => {
  const { url } = local
  const { access: token } = tokensOf(await register(url, randomName()))
  await useToken(url, token)
  const answer = await call(url, 'POST', '/uploads', {
    token,
    json: { content_type: 'image/png', bytes: 700 },
  })
  await fetch(text(answer, 'upload_url'), { method: 'PUT', body: new Uint8Array(pngOf(700)) })

  const completed = await callsDuring(local, () =>
    call(url, 'POST', `/uploads/${answer.body['id']}/complete`, { token }),
  )

  expect(completed).toEqual([CALLER, READ, WRITE, WRITE])
})
