import { describe, expect } from 'vitest'
import { members, test } from './fixture-server.ts'

const FILE = 'Content-Disposition: form-data; name="file"; filename="beach.jpg"'
const part = (head: string, body: string) => `--b\r\n${head}\r\n\r\n${body}\r\n`
const END = '--b--\r\n'
const field = (name: string, value = 'v') =>
  part(`Content-Disposition: form-data; name="${name}"`, value)
const TYPE = 'multipart/form-data; boundary=b'

async function send(url: string, body: string | Buffer, type = TYPE) {
  const answer = await fetch(`${url}/file`, {
    method: 'POST',
    headers: { authorization: 'Bearer user-token', 'content-type': type },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  })
  const found = members(await answer.text())
  return { ...found, outcome: `${answer.status} ${found['code'] ?? ''}`.trim() }
}

const REFUSED: readonly { what: string; body: string; type?: string; want: string }[] = [
  {
    what: 'a second file',
    body: part(FILE, 'a') + part(FILE, 'b') + END,
    want: '400 too_many_files',
  },
  {
    what: 'a file under another name',
    body: part(FILE.replace('"file"', '"photo"'), 'a') + END,
    want: '400 file_missing',
  },
  { what: 'fields only', body: field('title') + END, want: '400 file_missing' },
  { what: 'no part', body: END, want: '400 file_missing' },
  { what: 'nothing', body: '', want: '400 malformed_multipart' },
  { what: 'an empty file', body: part(FILE, '') + END, want: '400 file_empty' },
  {
    what: 'a file without name',
    body: part('Content-Disposition: form-data; name="file"', 'a') + END,
    want: '400 file_missing',
  },
  {
    what: 'a file with empty name',
    body:
      part(
        'Content-Disposition: form-data; name="file"; filename=""\r\nContent-Type: application/octet-stream',
        '',
      ) + END,
    want: '400 file_missing',
  },
  {
    what: 'base64',
    body: part(`${FILE}\r\nContent-Transfer-Encoding: base64`, 'YQ==') + END,
    want: '400 malformed_multipart',
  },
  {
    what: 'five fields',
    body: [1, 2, 3, 4, 5].map((one) => field(`f${one}`)).join('') + part(FILE, 'a') + END,
    want: '400 malformed_multipart',
  },
  {
    what: 'a field of 1025 bytes',
    body: field('title', 'v'.repeat(1025)) + part(FILE, 'a') + END,
    want: '400 malformed_multipart',
  },
  {
    what: 'a field name of 65 bytes',
    body: field('n'.repeat(65)) + part(FILE, 'a') + END,
    want: '400 malformed_multipart',
  },
  {
    what: 'a field without name',
    body: part('Content-Disposition: form-data', 'v') + part(FILE, 'a') + END,
    want: '400 malformed_multipart',
  },
  {
    what: 'an empty field name',
    body: field('') + part(FILE, 'a') + END,
    want: '400 malformed_multipart',
  },
  {
    what: 'a part header of 17 KiB',
    body: part(`${FILE}\r\nX: ${'x'.repeat(17_000)}`, 'a') + END,
    want: '400 malformed_multipart',
  },
  { what: 'no last boundary', body: part(FILE, 'a'), want: '400 malformed_multipart' },
  { what: 'half a part header', body: `--b\r\n${FILE}`, want: '400 malformed_multipart' },
  {
    what: 'another boundary',
    body: part(FILE, 'a') + END,
    type: 'multipart/form-data; boundary=c',
    want: '400 malformed_multipart',
  },
  {
    what: 'no boundary',
    body: part(FILE, 'a') + END,
    type: 'multipart/form-data',
    want: '400 malformed_multipart',
  },
  {
    what: 'an empty boundary',
    body: part(FILE, 'a') + END,
    type: 'multipart/form-data; boundary=""',
    want: '400 malformed_multipart',
  },
  {
    what: 'a boundary of 71 characters',
    body: 'x',
    type: `multipart/form-data; boundary=${'b'.repeat(71)}`,
    want: '400 malformed_multipart',
  },
  {
    what: 'multipart/mixed',
    body: part(FILE, 'a') + END,
    type: 'multipart/mixed; boundary=b',
    want: '415 unsupported_media_type',
  },
  {
    what: 'a form of names and values',
    body: 'file=a',
    type: 'application/x-www-form-urlencoded',
    want: '415 unsupported_media_type',
  },
  { what: 'text', body: 'a', type: 'text/plain', want: '415 unsupported_media_type' },
  { what: 'no image at all', body: '', type: 'image/png', want: '400 file_empty' },
]

describe('forms', () => {
  test('UP-04 whatever is not one named file within all limits is refused, never with 5xx', async ({
    server,
  }) => {
    const outcomes = await Promise.all(
      REFUSED.map(async ({ what, body, type, want }) => ({
        what,
        want,
        got: (await send(server.url, body, type)).outcome,
      })),
    )
    const alive = await fetch(`${server.url}/hello`)

    expect(outcomes.filter(({ want, got }) => want !== got)).toEqual([])
    expect(alive.status).toBe(200)
  })

  test.for([
    { name: 'beach.jpg', part: FILE },
    { name: 'ü 🌊.jpg', part: FILE.replace('beach', 'ü 🌊') },
    { name: 'ü.jpg', part: `${FILE}; filename*=UTF-8''%c3%bc.jpg` },
    { name: '../../x', part: FILE.replace('beach.jpg', '../../x') },
  ])('the file name $name arrives as it was meant', async ({ name, part: head }, { server }) => {
    const answer = await send(server.url, field('title') + part(head, 'abc') + field('after') + END)

    expect(answer).toMatchObject({ outcome: '201', bytes: 3, name })
  })

  test('the cap counts the bytes of the file, and what surrounds it has 64 KiB of its own', async ({
    server,
  }) => {
    const cap = 20 * 1024 * 1024
    const form = (bytes: number, epilogue = 0) =>
      Buffer.concat([
        Buffer.from(`--b\r\n${FILE}\r\n\r\n`),
        Buffer.alloc(bytes),
        Buffer.from(`\r\n${END}`),
        Buffer.alloc(epilogue),
      ])
    const outcome = async (body: Buffer, type?: string) =>
      (await send(server.url, body, type)).outcome

    expect(await outcome(form(cap - 1))).toBe('201')
    expect(await outcome(form(cap))).toBe('201')
    expect(await outcome(form(cap + 1))).toBe('413 photo_too_large')
    expect(await outcome(form(1, 70_000))).toBe('201')
    expect(await outcome(form(cap, 70_000))).toBe('413 photo_too_large')
    expect(await outcome(Buffer.alloc(cap), 'image/jpeg')).toBe('201')
    expect(await outcome(Buffer.alloc(cap + 1), 'image/jpeg')).toBe('413 photo_too_large')
  })

  test('a chunked body is counted as it comes, its epilogue too', async ({ server }) => {
    const cap = 20 * 1024 * 1024
    const chunked = async (parts: readonly (string | Buffer)[], type: string) => {
      const answer = await fetch(`${server.url}/file`, {
        method: 'POST',
        headers: { authorization: 'Bearer user-token', 'content-type': type },
        body: ReadableStream.from(parts.map((one) => new Uint8Array(Buffer.from(one)))),
        duplex: 'half',
      })
      return `${answer.status} ${members(await answer.text())['code'] ?? ''}`.trim()
    }
    const head = `--b\r\n${FILE}\r\n\r\n`

    expect(await chunked([Buffer.alloc(cap), 'a'], 'image/jpeg')).toBe('413 photo_too_large')
    expect(await chunked([head, Buffer.alloc(cap), `\r\n${END}`], TYPE)).toBe('201')
    expect(
      await chunked([head, 'a', `\r\n${END}`, Buffer.alloc(cap), Buffer.alloc(70_000)], TYPE),
    ).toBe('413 body_too_large')
  })
})
