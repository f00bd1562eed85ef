import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { expect } from 'vitest'
import { type FixtureServer, members, test } from './fixture-server.ts'

const MEBIBYTE = 1024 * 1024
const BLOCK = Buffer.alloc(64 * 1024, 'wowmedia')

type Upload = { readonly path: string; readonly bytes: number; readonly form: boolean }

function headOf(form: boolean) {
  const text = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
  return form ? text : ''
}

/** Sends so many bytes in chunks, without a length. */
async function upload(
  server: FixtureServer,
  { path, bytes, form }: Upload,
): Promise<Readonly<Record<string, unknown>>> {
  const type = form ? 'multipart/form-data; boundary=b' : 'image/jpeg'
  const call = request({
    port: server.port,
    host: '127.0.0.1',
    method: 'POST',
    path,
    headers: { 'content-type': type },
  })
  const answered = new Promise<string>((resolve, reject) => {
    call.on('error', reject).on('response', (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      answer.on('end', () => resolve(text))
    })
  })
  call.write(headOf(form))
  for (let sent = 0; sent < bytes; sent += BLOCK.length) {
    if (!call.write(BLOCK)) await new Promise((resolve) => call.once('drain', resolve))
  }
  call.end(form ? '\r\n--b--\r\n' : '')
  return members(await answered)
}

async function peakRss(server: FixtureServer): Promise<number> {
  return Number(members(await (await fetch(`${server.url}/process`)).text())['peak_rss'])
}

function sha256Of(bytes: number): string {
  const hash = createHash('sha256')
  for (let sent = 0; sent < bytes; sent += BLOCK.length) hash.update(BLOCK)
  return hash.digest('hex')
}

/** A quarter of the whole number unless all is asked for. */
const PARALLEL = process.env['FULL'] === '1' ? 32 : 8

test('UP-02 200 MB in chunks raise the peak memory by 40 MB at most, parallel uploads into a slow sink by 64 MB', {
  timeout: 120_000,
}, async ({ server }) => {
  const bytes = 200 * MEBIBYTE
  await peakRss(server)
  const base = await peakRss(server)
  const growth = async () => Math.round(((await peakRss(server)) - base) / MEBIBYTE)

  const form = await upload(server, { path: '/big', bytes, form: true })
  const afterForm = await growth()
  const raw = await upload(server, { path: '/big', bytes, form: false })
  const afterRaw = await growth()
  const sunk = { path: '/sink', bytes: 18 * MEBIBYTE, form: true }
  const many = await Promise.all(Array.from({ length: PARALLEL }, () => upload(server, sunk)))
  const afterMany = await growth()

  expect([form, raw]).toEqual(Array(2).fill({ bytes, sha256: sha256Of(bytes) }))
  expect(many).toEqual(many.map(() => ({ bytes: sunk.bytes })))
  expect(afterForm).toBeLessThanOrEqual(40)
  expect(afterRaw).toBeLessThanOrEqual(40)
  expect(afterMany).toBeLessThanOrEqual(64)
})
