import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import description from '../../shared/page/openapi.json' with { type: 'json' }

const CLIENTS = ['curl.sh', 'wowmedia.ts', 'Wowmedia.swift', 'Wowmedia.kt']

const PATHS = Object.keys(description.paths)
const CODES: readonly string[] = description.components.schemas.Problem.properties.code.enum

/** What stands in quotes and looks like a path of ours; what is put in is a member of the path. */
function pathsIn(source: string): readonly string[] {
  const found = source.matchAll(/["'`](?:\$base)?(\/[a-z][^"'`\s?]*)/g)
  return [...found].map(([, path = '']) =>
    path.replace(/\$\{.*?\}\)?|\\\(.*?\)|\$id|\$\{?upload.*/g, '{id}').replace(/\{id\}.*$/, '{id}'),
  )
}

test.for(CLIENTS)('%s names only paths and codes of the description', async (name) => {
  const source = await readFile(`docs/clients/${name}`, 'utf8')

  const named = pathsIn(source).filter(
    (path) => !path.startsWith('/bin') && !path.startsWith('/dev'),
  )
  const known = [...PATHS, ...PATHS.map((path) => path.replace(/\{id\}.*$/, '{id}'))]
  expect(named.filter((path) => !known.includes(path))).toEqual([])
  expect(named.length).toBeGreaterThan(name === 'curl.sh' ? 0 : 5)

  const codes = [...source.matchAll(/\b(token_[a-z]+|session_[a-z]+|[a-z]+_required|reauth\w+)\b/g)]
  expect(codes.length).toBeGreaterThan(0)
  expect(codes.map(([, code = '']) => code).filter((code) => !CODES.includes(code))).toEqual([])
})

test.for(CLIENTS)('%s does all that an app has to do', async (name) => {
  const source = await readFile(`docs/clients/${name}`, 'utf8')
  for (const part of [
    '/token/refresh',
    '/uploads',
    '/file',
    'Idempotency-Key',
    'Content-Range',
    'token_expired',
    'token_invalid',
    'sign_in_again',
    '308',
    'complete',
  ]) {
    expect(source.toLowerCase(), part).toContain(part.toLowerCase())
  }
})

const swift = spawnSync('swiftc', ['--version']).status === 0
if (!swift) process.stderr.write('Swift client not compiled: there is no swiftc\n')

test.skipIf(!swift)('the Swift client compiles', () => {
  const { status, stderr } = spawnSync('swiftc', ['-typecheck', 'docs/clients/Wowmedia.swift'])
  expect(status, String(stderr)).toBe(0)
})

const kotlin = spawnSync('kotlinc', ['-version']).status === 0
if (!kotlin) process.stderr.write('Kotlin client not compiled: there is no kotlinc\n')

test.skipIf(!kotlin)('the Kotlin client compiles', { timeout: 180_000 }, async () => {
  const output = await mkdtemp(join(tmpdir(), 'wowmedia-kotlin-'))
  const libraries = ['OkHttp.kt', 'Coroutines.kt', 'Sync.kt', 'org/json/JSONObject.java']
  const { status, stderr } = spawnSync('kotlinc', [
    ...libraries.map((name) => `test/clients/kotlin/${name}`),
    'docs/clients/Wowmedia.kt',
    '-d',
    output,
  ])
  await rm(output, { recursive: true })
  expect(status, String(stderr)).toBe(0)
})
