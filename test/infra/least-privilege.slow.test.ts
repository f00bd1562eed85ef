import { expect, test } from 'vitest'
import { type BucketAccess, FUNCTIONS } from '../../infra/manifest.ts'
import { call, OPEN_LIMITS, registerUser, startCloud, startFunction, text } from '../app.ts'
import { type ForwardingServer, openForwardingServer } from '../setup/forwarding-server.ts'

/** What a call of Cloud Storage needs, by its method and path; the bytes of a session need nothing more. */
function rightOf(method: string, target: string): BucketAccess | undefined {
  const { pathname, searchParams } = new URL(target, 'http://storage.test')
  if (searchParams.has('upload_id')) return undefined
  if (method === 'POST' && pathname.startsWith('/upload/')) return 'create'
  if (method === 'DELETE') return 'remove'
  if (method === 'GET') return pathname.endsWith('/o') ? 'remove' : 'read'
  return 'create'
}

type Watch = ForwardingServer & { readonly rights: ReadonlySet<BucketAccess> }

/** A storage that notes which rights its caller needs, in front of the local one. */
async function watch(storageUrl: string): Promise<Watch> {
  const rights = new Set<BucketAccess>()
  const server = await openForwardingServer(({ method = '', url = '' }) => {
    const right = rightOf(method, url)
    if (right !== undefined) rights.add(right)
    return storageUrl
  })
  return { ...server, rights }
}

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
)

async function digest(bytes: Buffer): Promise<string> {
  const { createHash } = await import('node:crypto')
  return createHash('sha256').update(bytes).digest('hex')
}

async function startAll() {
  const cloud = await startCloud()
  const storageUrl = cloud.environment['STORAGE_EMULATOR_HOST'] ?? ''
  const names = ['register', 'upload', 'uploads', 'photos', 'account', 'sweep']
  const started = new Map(
    await Promise.all(
      names.map(async (name) => {
        const storage = await watch(storageUrl)
        const environment = { ...cloud.environment, STORAGE_EMULATOR_HOST: storage.url }
        const server = await startFunction(name, { ...OPEN_LIMITS, ...environment })
        return [name, { storage, server }] as const
      }),
    ),
  )
  return {
    url: (name: string) => started.get(name)?.server.url ?? '',
    rights: (name: string) => [...(started.get(name)?.storage.rights ?? [])].toSorted(),
    close: async () => {
      await Promise.all([...started.values()].map(({ server }) => server.process.stop()))
      await Promise.all([...started.values()].map(({ storage }) => storage.close()))
      await cloud.close()
    },
  }
}

test('no function asks Cloud Storage for more than its row allows', {
  timeout: 120_000,
}, async () => {
  const running = await startAll()
  const user = await registerUser(running.url('register'))
  const token = user.accessToken
  const image = { token, body: PIXEL, headers: { 'content-type': 'image/png' } }
  const declared = { content_type: 'image/png', bytes: PIXEL.length, sha256: await digest(PIXEL) }

  const sent = await call(running.url('upload'), 'POST', '/file', image)
  const opened = await call(running.url('uploads'), 'POST', '/uploads', { token, json: declared })
  const put = await fetch(text(opened, 'upload_url'), {
    method: 'PUT',
    body: new Uint8Array(PIXEL),
  })
  const complete = `/uploads/${text(opened, 'id')}/complete`
  const completed = await call(running.url('uploads'), 'POST', complete, { token })
  const photo = Object(completed.body['photo'])
  const removed = await call(running.url('photos'), 'DELETE', `/photos/${photo.id}`, { token })
  const json = { password: user.password }
  const account = await call(running.url('account'), 'DELETE', '/account', { token, json })
  const swept = await call(running.url('sweep'), 'POST', '/')
  const used = Object.fromEntries(FUNCTIONS.map(({ name }) => [name, running.rights(name)]))
  await running.close()

  const statuses = [sent.status, opened.status, put.status, completed.status]
  expect(statuses).toEqual([201, 201, 200, 201])
  expect([removed.status, account.status, swept.status]).toEqual([204, 204, 200])
  for (const { name, bucket } of FUNCTIONS) {
    expect(
      used[name]?.filter((right) => !bucket.includes(right)),
      name,
    ).toEqual([])
  }
  expect(used['upload']).toEqual(['create'])
  expect(used['account']).toContain('remove')
  expect(used['uploads']).toEqual(['create', 'read', 'remove'])
})
