import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startNode } from '../processes.ts'
import { test as withApp } from '../with-app.ts'

const manifest: unknown = JSON.parse(await readFile('package.json', 'utf8'))

function scriptsOf(value: unknown): Readonly<Record<string, string>> {
  const held = typeof value === 'object' && value !== null && 'scripts' in value
  const scripts = held && typeof value.scripts === 'object' ? value.scripts : {}
  return Object.fromEntries(
    Object.entries(scripts ?? {}).map(([name, text]) => [name, String(text)]),
  )
}

const SCRIPTS = Object.entries(scriptsOf(manifest))

/** What a script prints and how it ends, on a data directory of its own. */
async function run(script: string, args: readonly string[], env: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'wowmedia-command-'))
  const [, ...words] = script.split(' ')
  const started = startNode([...words, ...args], { PORT: '0', WOWMEDIA_DATA_DIR: folder, ...env })
  const code = await started.ended
  const left = await readdir(folder)
  await rm(folder, { recursive: true })
  return { code, output: started.output(), left }
}

test('every npm script is plain node, so that it runs in any shell', () => {
  expect(SCRIPTS.length).toBeGreaterThan(15)
  for (const [, script] of SCRIPTS)
    expect(script).toMatch(/^node infra\/run\.js [a-z-]+( --[a-z]+)?$/)
})

describe('every npm script', () => {
  test.for(SCRIPTS)(
    '%s says what it does with --help, and starts nothing',
    async ([name, script]) => {
      const { code, output, left } = await run(script, ['--help'])

      expect(code, output).toBe(0)
      expect(output.split('\n').length).toBeGreaterThan(2)
      expect(output).toMatch(
        name === 'test' || name.startsWith('test:') ? /npm test/ : /npm run|npm start/,
      )
      expect(output, 'colours are for terminals').not.toContain('\u001b[')
      expect(left).toEqual([])
    },
  )

  const own = SCRIPTS.filter(([name]) => !name.startsWith('test'))
  test.for(own)('%s refuses an unknown argument in one line', async ([, script]) => {
    const { code, output, left } = await run(script, ['--nonsense'])

    expect(code, output).toBe(1)
    expect(output.trimEnd().split('\n')).toHaveLength(1)
    expect(left).toEqual([])
  })
})

describe('what cannot start says so in one line that says what to do', () => {
  test('a taken port', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    onTestFinished(() => void holder.close())
    const address = holder.address()
    const port = typeof address === 'object' ? String(address?.port) : ''

    const { code, output } = await run('node infra/run.js start', [], { PORT: port })

    expect(code).toBe(1)
    expect(output).toBe(
      `The port ${port} is taken. Stop what uses it, or start with another PORT.\n`,
    )
  })

  withApp('a second start on one data directory', async ({ app }) => {
    const { code, output } = await run('node infra/run.js start', [], {
      WOWMEDIA_DATA_DIR: app.dataDir,
    })

    expect(code).toBe(1)
    expect(output.trimEnd().split('\n')).toHaveLength(1)
    expect(output).toContain(
      'is in use. Stop what runs on it, or choose another (WOWMEDIA_DATA_DIR).',
    )
  })

  test.for([
    ['PORT', '70000', /^PORT must be a whole number from 0 to 65535\n$/],
    ['UPLOAD_LIMIT', 'five', /^UPLOAD_LIMIT .+\n$/],
    ['ACCESS_TOKEN_SECONDS', '1', /^ACCESS_TOKEN_SECONDS .+300 to 900.*\n$/],
  ] as const)('a bad %s', async ([name, value, line]) => {
    const { code, output } = await run('node infra/run.js start', [], { [name]: value })

    expect(code).toBe(1)
    expect(output).toMatch(line)
  })

  withApp('an admin whom nobody knows, and a command that is none', async ({ app }) => {
    const env = { WOWMEDIA_DATA_DIR: app.dataDir }
    const nobody = await run('node infra/run.js admin', ['grant', 'nobody-of-that-name'], env)
    const none = await run('node infra/run.js admin', ['promote', 'kartik'], env)

    expect([nobody.code, none.code]).toEqual([1, 1])
    expect(nobody.output).toMatch(/^There is no .+\n$/)
    expect(none.output).toMatch(/^Unknown command\. One of: .+\n$/)
  })
})
