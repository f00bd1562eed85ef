import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, describe, expect } from 'vitest'
import { commandLine } from '../../infra/release/command.ts'
import { everyCommand, shapeOf } from './every-command.ts'

const installed = spawnSync('gcloud', ['--version'], { stdio: 'ignore' }).status === 0
if (!installed) process.stdout.write('skipped: gcloud not found; no command is linted\n')

const test = base.extend('folder', { scope: 'file' }, async ({}, { onCleanup }) => {
  const folder = await mkdtemp(join(tmpdir(), 'wowmedia-lint-'))
  onCleanup(() => rm(folder, { recursive: true, force: true }))
  return folder
})

type Linted = { readonly success: boolean; readonly command: string; readonly reason: string }

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** gcloud's own linter, with a configuration of its own: what is signed in here does not matter. */
async function lint(commands: readonly string[], folder: string): Promise<readonly Linted[]> {
  const file = join(folder, 'commands.json')
  await writeFile(file, JSON.stringify(commands.map((command_string) => ({ command_string }))))
  const child = spawn(
    'gcloud',
    ['meta', 'lint-gcloud-commands', `--commands-file=${file}`, '--serialize'],
    {
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: folder,
        CLOUDSDK_CONFIG: folder,
        CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
      },
    },
  )
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  await once(child, 'close')
  const parsed: unknown = JSON.parse(printed)
  return Object.values(isRecord(parsed) ? parsed : {})
    .flat()
    .filter(isRecord)
    .map((entry) => ({
      success: entry['success'] === true,
      command: String(entry['command_string']),
      reason: String(entry['error_message']),
    }))
}

describe.skipIf(!installed)('with gcloud', () => {
  test('every command that the tools print is one that gcloud takes', { timeout: 300_000 }, async ({
    folder,
  }) => {
    const corsFile = join(folder, 'cors.json')
    await writeFile(corsFile, '[]')
    const all = (await everyCommand(corsFile)).filter(({ program }) => program === 'gcloud')
    const shapes = new Map(all.map((command) => [shapeOf(command), command]))
    const chosen = process.env['FULL'] === '1' ? all : [...shapes.values()]
    const lines = [...new Set(chosen.map(commandLine))]

    const linted = await lint(lines, folder)

    expect(linted.filter(({ success }) => !success)).toEqual([])
    expect(linted.length).toBe(lines.length)
    expect(lines.length).toBeGreaterThan(60)
  })

  test('a wrong command is refused, so the linter looks', { timeout: 120_000 }, async ({
    folder,
  }) => {
    const wrong = [
      'gcloud run deploy login --project=demo-project --bogus=1',
      'gcloud run deploy login --project=demo-project --ingress=everywhere',
      'gcloud firestore databases create --database=x',
      'gcloud run services update-traffic login --to-tags=a=1 --to-latest',
    ]

    const linted = await lint(wrong, folder)

    expect(linted.map(({ success }) => success)).toEqual([false, false, false, false])
  })
})

test('no command holds what gcloud or its linter would read differently', async () => {
  const lines = (await everyCommand('cors.json')).map(commandLine)

  expect(lines.filter((line) => /[#\r\n]|\$[A-Z]|undefined|NaN|\[object/.test(line))).toEqual([])
  for (const line of lines) {
    const flags = [...line.matchAll(/ --([\w-]+)(?==| |$)/g)]
      .map(([, name]) => name)
      .filter((name) => name !== 'field-config' && name !== 'threshold-rule')
    expect(new Set(flags).size, line).toBe(flags.length)
  }
})

test('a flag whose file is missing would hide every mistake, so the files are there', async () => {
  const { existsSync } = await import('node:fs')
  const files = (await everyCommand('cors.json')).flatMap(({ args }) =>
    args.flatMap((word) => /^--[\w-]*(?:file|policy)=(infra\/.*)$/.exec(word)?.[1] ?? []),
  )

  expect(files.length).toBeGreaterThan(20)
  expect(files.filter((file) => !existsSync(file))).toEqual([])
})
