import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { hidePhoto } from '../../shared/store/photos.ts'
import { sweep } from '../../shared/store/sweep.ts'
import { call, registerUser } from '../app.ts'
import { photos as corpus } from '../image/corpus.ts'
import {
  listed,
  NOTHING_STORED,
  onlyStored,
  photoOf,
  pngOf,
  storedBytes,
  storedFor,
  test,
  upload,
  userIdOf,
} from './stored-app.ts'

test('DL-01 the address lives for 5 minutes, is for GET only, and the answer is not stored', async ({
  app,
  user,
}) => {
  const photo = photoOf(await upload(app, user, pngOf(500)))
  const path = `/photos/${photo['id']}/content`

  const answer = await call(app.url, 'GET', path, {
    token: user.accessToken,
    headers: { accept: 'application/json' },
  })

  const url = new URL(String(answer.body['url']))
  const put = await fetch(url, { method: 'PUT', body: 'x' })
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(url.searchParams.get('X-Goog-Expires')).toBe('300')
  expect(Date.parse(String(answer.body['expires_at']))).toBeLessThanOrEqual(Date.now() + 300_000)
  expect((await fetch(url)).status).toBe(200)
  expect(put.status).toBe(403)
})

test('an address is dead after its time', async ({ app, user }) => {
  const photo = photoOf(await upload(app, user, pngOf(500)))
  const now = new Date()
  const address = await app.files.signedAddress({
    name: `photos/${userIdOf(user)}/${photo['id']}`,
    contentType: 'image/png',
    contentDisposition: 'inline',
    now,
    expiresAt: new Date(now.getTime() + 3000),
  })

  const alive = (await fetch(address)).status
  const status = async () => (await fetch(address)).status

  expect(alive).toBe(200)
  await expect.poll(status, { timeout: 20_000, interval: 200 }).not.toBe(200)
  expect([400, 403]).toContain(await status())
})

test('an address names type and disposition, and neither can be changed', async ({ app, user }) => {
  const photo = photoOf(await upload(app, user, pngOf(500)))
  const { response } = await storedBytes(app, user, photo['id'])
  const changed = new URL(response.url)
  changed.searchParams.set('response-content-type', 'text/html')

  const refused = await fetch(changed)

  expect(refused.status).toBe(403)
})

test('nobody gets the address of somebody else’s photo', async ({ app, user }) => {
  const photo = photoOf(await upload(app, user, pngOf(500)))
  const other = await registerUser(app.url)

  const answer = await call(app.url, 'GET', `/photos/${photo['id']}/content`, {
    token: other.accessToken,
  })

  expect([answer.status, answer.body['code']]).toEqual([404, 'not_found'])
})

const ACCEPTED = [
  { accept: '*/*', status: 302 },
  { accept: 'image/*', status: 302 },
  { accept: 'image/webp,image/png;q=0.9', status: 302 },
  { accept: 'application/json', status: 200 },
  { accept: 'application/json, text/plain, */*', status: 200 },
  { accept: 'text/html', status: 406 },
]

test.for(ACCEPTED)(
  'Accept: $accept at the content is $status',
  async ({ accept, status }, { app, user }) => {
    const photo = photoOf(await upload(app, user, pngOf(500)))

    const response = await fetch(`${app.url}/photos/${photo['id']}/content`, {
      redirect: 'manual',
      headers: { authorization: `Bearer ${user.accessToken}`, accept },
    })

    expect(response.status).toBe(status)
  },
)

test('DL-02 the bytes come with the detected type, inline, with a name that can do no harm', async ({
  app,
  user,
}) => {
  const name = 'S\u00e3o "Paulo\r\nX-Evil: 1;%41.png'
  const photo = photoOf(await upload(app, user, pngOf(500), { fileName: name }))

  const { response } = await storedBytes(app, user, photo['id'])

  const disposition = response.headers.get('content-disposition') ?? ''
  expect(response.headers.get('content-type')).toBe('image/png')
  expect(response.headers.get('x-evil')).toBeNull()
  expect(disposition).toMatch(
    /^inline; filename="[ !#-[\]-~]+"; filename\*=UTF-8''[A-Za-z0-9%._~!-]+$/,
  )
})

test('DL-03 the bytes are on another host than the API, and no type of theirs is a page', async ({
  app,
  user,
}) => {
  const types = new Set<string | null>()
  for (const format of ['jpg', 'png', 'gif', 'webp', 'avif', 'heic']) {
    const file = corpus.find(({ name }) => name.endsWith(format))?.file ?? ''
    const photo = photoOf(await upload(app, user, await readFile(file)))
    const { response } = await storedBytes(app, user, photo['id'])
    types.add(response.headers.get('content-type'))
    expect(new URL(response.url).host).not.toBe(new URL(app.url).host)
  }

  expect([...types].toSorted()).toEqual([
    'image/avif',
    'image/gif',
    'image/heic',
    'image/jpeg',
    'image/png',
    'image/webp',
  ])
})

test('a photo is deleted once and for all, and deleting it again is 204 too', async ({
  app,
  user,
}) => {
  const [photo, other] = [
    photoOf(await upload(app, user, pngOf(500))),
    photoOf(await upload(app, user, pngOf(600))),
  ]
  const remove = () =>
    call(app.url, 'DELETE', `/photos/${photo['id']}`, { token: user.accessToken })

  const answers = [await remove(), await remove()]

  expect(answers.map(({ status }) => status)).toEqual([204, 204])
  expect(await storedFor(app, user)).toEqual(onlyStored(user, [other]))
})

test('DL-04 a deletion that stopped after its commit is not visible, and a repeat or the sweep goes on', async ({
  app,
  user,
}) => {
  const photos = [
    photoOf(await upload(app, user, pngOf(500))),
    photoOf(await upload(app, user, pngOf(600))),
  ]
  for (const photo of photos) await hidePhoto(app.database, userIdOf(user), String(photo['id']))
  const visible = await listed(app, user)
  const before = await storedFor(app, user)

  await call(app.url, 'DELETE', `/photos/${photos[0]?.['id']}`, { token: user.accessToken })
  const repeated = await storedFor(app, user)
  await sweep({ ...app, isLate: () => false })

  expect(visible).toEqual([])
  expect([before.objects.length, before.usage?.['photo_count']]).toEqual([2, 0])
  expect(repeated.objects).toHaveLength(1)
  expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
})

test('twenty parallel deletions of one photo give its bytes back once', async ({ app, user }) => {
  const photo = photoOf(await upload(app, user, pngOf(500)))

  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      call(app.url, 'DELETE', `/photos/${photo['id']}`, { token: user.accessToken }),
    ),
  )

  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]))
  expect(await storedFor(app, user)).toEqual(NOTHING_STORED)
})

test('pages of photos follow one another without gap or repeat, also beside deletions', async ({
  app,
  user,
}) => {
  for (let n = 0; n < 7; n += 1) await upload(app, user, pngOf(500 + n))
  const all = await listed(app, user)
  const page = async (token?: unknown) => {
    const more = token === undefined ? '' : `&page_token=${token}`
    return await call(app.url, 'GET', `/photos?page_size=3${more}`, { token: user.accessToken })
  }

  const first = await page()
  await call(app.url, 'DELETE', `/photos/${all[2]?.['id']}`, { token: user.accessToken })
  const second = await page(first.body['next_page_token'])
  const third = await page(second.body['next_page_token'])
  const wrong = await page('bm90LW91cnM')

  expect(first.body['photos']).toEqual(all.slice(0, 3))
  expect(second.body['photos']).toEqual(all.slice(3, 6))
  expect(third.body).toEqual({ photos: all.slice(6) })
  expect([wrong.status, wrong.body['code']]).toEqual([400, 'invalid_request'])
})
