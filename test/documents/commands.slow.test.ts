import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { plainEnvironment } from '../processes.ts'
import { test } from '../with-app.ts'

/** Shell blocks of a page, in order. */
async function shellBlocks(page: string): Promise<readonly string[]> {
  const text = await readFile(page, 'utf8')
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block)
}

const hasCurl = spawnSync('curl', ['--version']).status === 0
const hasShell = spawnSync('bash', ['-c', 'true']).status === 0
const reason = 'the walk-through needs curl and bash'
if (!(hasCurl && hasShell)) process.stderr.write(`skipped: ${reason}\n`)

test.skipIf(!(hasCurl && hasShell))(
  'the README’s walk-through runs as it is written',
  async ({ app }) => {
    const [, walk = ''] = await shellBlocks('README.md')
    const folder = await mkdtemp(join(tmpdir(), 'wowmedia-readme-'))
    const root = process.cwd()
    const script = walk
      .replace('http://127.0.0.1:8080', app.url)
      .replace('test/image', join(root, 'test/image').replaceAll('\\', '/'))

    const ran = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: folder,
      env: plainEnvironment(),
      encoding: 'utf8',
    })

    expect(ran.status, ran.stderr).toBe(0)
    expect(ran.stdout).toContain('"original_name":"camera-iphone-4s.jpg"')
    expect(ran.stdout).toContain('Access token has been revoked')
    const photo = await readFile(join(folder, 'beach.jpg'))
    expect(photo.subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]))
    expect(photo.includes('GPS')).toBe(false)
    await rm(folder, { recursive: true })
  },
)

test('every npm script that a page names exists', async ({}) => {
  const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md']
  const docs = (await readdir('docs')).filter((name) => name.endsWith('.md'))
  const named = new Set<string>()
  for (const page of [...pages, ...docs.map((name) => `docs/${name}`)]) {
    const text = await readFile(page, 'utf8')
    for (const [, script = ''] of text.matchAll(/npm run ([a-z:-]+)/g)) named.add(script)
  }

  const manifest: unknown = JSON.parse(await readFile('package.json', 'utf8'))

  const scripts = typeof manifest === 'object' && manifest !== null && 'scripts' in manifest
  const known = scripts && typeof manifest.scripts === 'object' ? { ...manifest.scripts } : {}
  expect(named.size).toBeGreaterThan(5)
  expect([...named].filter((name) => !Object.hasOwn(known, name))).toEqual([])
})

test('every file that a page links to is there', async ({}) => {
  const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...(await pagesOfDocs())]
  const missing: string[] = []
  for (const page of pages) {
    const folder = page.includes('/') ? page.slice(0, page.lastIndexOf('/')) : '.'
    const text = await readFile(page, 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      const found = await readFile(join(folder, target)).then(
        () => true,
        (error: NodeJS.ErrnoException) => error.code === 'EISDIR',
      )
      if (!found) missing.push(`${page}: ${target}`)
    }
  }
  expect(missing).toEqual([])
})

async function pagesOfDocs(): Promise<readonly string[]> {
  const names = await readdir('docs', { recursive: true })
  return names.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)
}
