/** A copy of the project in which one thing at a time is broken; the working tree is never touched. */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { startNode } from '../processes.ts'
import type { Edit, Mutant } from './mutant.ts'

/** `gone`: a text that was to be replaced does not stand exactly once in its file. */
export type Outcome = 'caught' | 'survived' | 'gone' | 'not run'

export type Laboratory = {
  /** Breaks it, runs its tests, mends it. `output` is vitest's, for who has to look. */
  try(mutant: Mutant): Promise<{ readonly outcome: Outcome; readonly output: string }>
  /** How many tests of all these mutants fail while nothing is broken. */
  failuresUnbroken(mutants: readonly Mutant[]): Promise<number>
  close(): Promise<void>
}

const LEFT_OUT = new Set(['node_modules', '.git', 'coverage', 'dist', '.wowmedia'])

type Tally = { readonly passed: number; readonly failed: number }

function isTally(value: unknown): value is { numPassedTests: number; numFailedTests: number } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'numPassedTests' in value &&
    'numFailedTests' in value
  )
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

async function copyProject(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'wowmedia-mutants-'))
  const project = process.cwd()
  const isKept = (path: string) => dirname(path) !== project || !LEFT_OUT.has(basename(path))
  await cp(project, root, { recursive: true, filter: isKept })
  await symlink(resolve('node_modules'), join(root, 'node_modules'), 'junction')
  return root
}

async function runTests(root: string, files: readonly string[], names: readonly string[]) {
  const report = join(root, 'report.json')
  await rm(report, { force: true })
  const pattern = names.map(escaped).join('|')
  const child = startNode(
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      ...files,
      ...(pattern === '' ? [] : ['-t', pattern]),
      '--bail=1',
      '--reporter=json',
      '--reporter=default',
      `--outputFile.json=${report}`,
    ],
    { FULL: '', WOWMEDIA_TEST_SCOPE: 'usual' },
    root,
  )
  await child.ended
  return { tally: await tallyOf(report), output: child.output() }
}

async function tallyOf(report: string): Promise<Tally> {
  const text = await readFile(report, 'utf8').catch(() => '{}')
  const parsed: unknown = JSON.parse(text)
  if (!isTally(parsed)) return { passed: 0, failed: 0 }
  return { passed: parsed.numPassedTests, failed: parsed.numFailedTests }
}

function outcomeOf({ passed, failed }: Tally): Outcome {
  if (failed > 0) return 'caught'
  return passed > 0 ? 'survived' : 'not run'
}

/** The files as they will be, or undefined where a text is not there exactly once. */
async function editedFiles(root: string, edits: readonly Edit[]) {
  const files = new Map<string, { readonly before: string; readonly after: string }>()
  for (const { file, from, to } of edits) {
    const path = join(root, file)
    const before = files.get(path)?.before ?? (await readFile(path, 'utf8').catch(() => ''))
    const pieces = (files.get(path)?.after ?? before).split(from)
    if (pieces.length !== 2) return undefined
    files.set(path, { before, after: pieces.join(to) })
  }
  return files
}

const testOf = ({ test }: Mutant) => test

export async function openLaboratory(): Promise<Laboratory> {
  const root = await copyProject()
  return {
    try: async (mutant) => {
      const files = await editedFiles(root, mutant.edits)
      if (files === undefined) return { outcome: 'gone', output: '' }
      for (const [path, { after }] of files) await writeFile(path, after)
      try {
        const names = mutant.named === undefined ? [] : [mutant.named]
        const { tally, output } = await runTests(root, [mutant.test], names)
        return { outcome: outcomeOf(tally), output }
      } finally {
        for (const [path, { before }] of files) await writeFile(path, before)
      }
    },
    failuresUnbroken: async (mutants) => {
      const whole = new Set(mutants.filter(({ named }) => named === undefined).map(testOf))
      const rest = mutants.filter(({ test }) => !whole.has(test))
      const names = rest.map(({ named = '' }) => named)
      const runs = [
        await runTests(root, [...whole], []),
        await runTests(root, [...new Set(rest.map(testOf))], names),
      ]
      const failed = runs.map(({ tally }) => (tally.passed === 0 ? 1 : tally.failed))
      return failed.reduce((sum, count) => sum + count, 0)
    },
    close: () => rm(root, { recursive: true, force: true }),
  }
}
