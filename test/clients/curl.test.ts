import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { randomName } from '../app.ts'
import { plainEnvironment } from '../processes.ts'
import { test } from '../with-app.ts'

/** With slashes, as a shell wants it on Windows, too. */
const inProject = (path: string) => join(process.cwd(), path).replaceAll('\\', '/')
const SCRIPT = inProject('docs/clients/curl.sh')
const PHOTO = inProject('test/image/fixtures/camera-iphone-4s.jpg')

const able =
  spawnSync('curl', ['--version']).status === 0 &&
  spawnSync('bash', ['-c', 'mktemp -u && printf ab | tail -c +2']).status === 0
if (!able) process.stderr.write('curl client skipped: it needs bash, curl and the usual tools\n')

type Ran = { readonly code: number | null; readonly output: string }

/** A shell with the functions of the client, in a folder of its own. */
async function shell(url: string) {
  const folder = await mkdtemp(join(tmpdir(), 'wowmedia-curl-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const run = async (lines: string): Promise<Ran> => {
    const child = spawn('bash', ['-c', `source '${SCRIPT}'\n${lines}`], {
      cwd: folder,
      env: { ...plainEnvironment(), BASE: url },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString()
      })
    }
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    return { code, output }
  }
  return { folder, run }
}

test.skipIf(!able)(
  'the curl client signs up and uploads; a repeat is the same photo',
  async ({ app }) => {
    const { run } = await shell(app.url)

    const { code, output } = await run(`
    sign_in /registration ${randomName()} 'a long enough secret'
    upload '${PHOTO}' once; echo "$STATUS $(member id <"$ANSWER")"
    upload '${PHOTO}' once; echo "$STATUS $(member id <"$ANSWER")"
    call GET /account; cat "$ANSWER"`)

    expect(code, output).toBe(0)
    const [first = '', second = '', account] = output.split('\n')
    expect(first).toMatch(/^201 \S{22}$/)
    expect(second).toBe(first.replace('201', '200'))
    expect(account).toContain('"photo_count":1')
  },
)

test.skipIf(!able)(
  'of parallel curl processes with an old token one refreshes',
  async ({ app }) => {
    const { folder, run } = await shell(app.url)
    await run(`sign_in /registration ${randomName()} 'a long enough secret'`)
    const file = join(folder, 'tokens.json')
    const before = await readFile(file, 'utf8')
    await writeFile(file, before.replace(/"access_token":"[^"]*"/, '"access_token":"a.b.c"'))
    const [, refresh] = /"refresh_token":"([^"]*)"/.exec(before) ?? []

    const all = await Promise.all([1, 2, 3].map(() => run('call GET /account; echo "$STATUS"')))

    expect(all.map(({ output }) => output)).toEqual(['200\n', '200\n', '200\n'])
    expect(await readFile(file, 'utf8')).not.toContain(refresh ?? 'no token')
  },
)

test.skipIf(!able)('the curl client goes on with a large upload where it was', async ({ app }) => {
  const { folder, run } = await shell(app.url)
  const bytes = Buffer.concat([await readFile(PHOTO), Buffer.alloc(700_000)])
  await writeFile(join(folder, 'large.jpg'), bytes)

  const { code, output } = await run(`
    sign_in /registration ${randomName()} 'a long enough secret'
    call POST /uploads -H 'Idempotency-Key: k' -H 'Content-Type: application/json' \\
      -d '{"content_type":"image/jpeg","bytes":${bytes.length},"original_name":"large.jpg"}'
    head -c 262144 large.jpg | curl -s -o part.txt -w '%{http_code}\\n' -X PUT --data-binary @- \\
      -H 'Content-Range: bytes 0-262143/${bytes.length}' "$(member upload_url <"$ANSWER")"
    upload_large large.jpg image/jpeg k; echo "$STATUS"; cat "$ANSWER"`)

  expect(code, output).toBe(0)
  expect(output).toMatch(/^308\n201\n.*"original_name":"large.jpg"/)
})

test.skipIf(!able)(
  'the curl client forgets its tokens where only a new sign-in helps',
  async ({ app }) => {
    const { folder, run } = await shell(app.url)

    const { code } = await run(`
    sign_in /registration ${randomName()} 'a long enough secret'
    call DELETE /sessions
    refresh "$(member access_token <"$TOKENS")"`)

    expect(code).not.toBe(0)
    await expect(readFile(join(folder, 'tokens.json'))).rejects.toThrow('ENOENT')
  },
)
