/** `npm run bench`: every comparison in turn, as a table, as JSON, or into the README. */
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { benchCalls } from './calls.ts'
import { benchColdStart } from './cold-start.ts'
import { benchFirestore } from './firestore.ts'
import { benchImage, type Row } from './image.ts'
import { benchMemory } from './memory.ts'
import { benchRoundTrips } from './round-trips.ts'
import { benchStorage } from './storage.ts'
import { benchUpload } from './upload.ts'

const BENCHES: Readonly<Record<string, () => Promise<Row[]>>> = {
  calls: benchCalls,
  'round-trips': benchRoundTrips,
  upload: benchUpload,
  memory: benchMemory,
  image: benchImage,
  storage: benchStorage,
  'cold-start': () => benchColdStart(),
  firestore: benchFirestore,
}

const MARKED = /(<!-- bench -->\n)[\s\S]*?(<!-- \/bench -->)/

const print = (line: string) => process.stdout.write(`${line}\n`)

function given(name: string): string | undefined {
  return process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3)
}

function shown(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { useGrouping: false })
}

/** A table in Markdown. */
function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ name, ours, other, unit, ratio }) => {
    const [mine, its] = [shown(ours), shown(other)].map((figure) => `${figure} ${unit}`.trim())
    return `| ${name} | ${mine} | ${its} | ${shown(ratio)} |`
  })
  return ['| | ours | other | ratio |', '|---|---|---|---|', ...lines].join('\n')
}

function machine(): string {
  const [first] = cpus()
  const date = new Date().toISOString().slice(0, 10)
  return `${cpus().length} cores (${first?.model.trim() ?? 'unknown'}), Node ${process.versions.node}, ${process.platform}, ${date}`
}

/** The real emulator is not everywhere; what is compared with it is then left out, and said so. */
const LEFT_OUT = /^real emulator:/

/** The rows of one bench; undefined where it failed. */
async function runOne(name: string): Promise<Row[] | undefined> {
  try {
    return (await BENCHES[name]?.()) ?? []
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const isLeftOut = LEFT_OUT.test(reason)
    print(`${name} ${isLeftOut ? 'left out' : 'FAILED'}: ${reason}`)
    return isLeftOut ? [] : undefined
  }
}

async function run(names: readonly string[]): Promise<{ rows: Row[]; failures: number }> {
  const rows: Row[] = []
  let failures = 0
  for (const name of names) {
    print(`${name} …`)
    const own = await runOne(name)
    if (own === undefined) failures += 1
    else if (own.length > 0) print(tableOf(own))
    rows.push(...(own ?? []))
  }
  return { rows, failures }
}

async function writeReadme(rows: readonly Row[]): Promise<void> {
  const readme = await readFile('README.md', 'utf8')
  if (!MARKED.test(readme)) throw new Error('README.md has no <!-- bench --> … <!-- /bench -->')
  const content = `Measured on ${machine()}; each ratio side by side in one run.\n\n${tableOf(rows)}\n`
  await writeFile(
    'README.md',
    readme.replace(MARKED, (_all, open, close) => open + content + close),
  )
}

async function main(): Promise<number> {
  const wanted = given('only')?.split(',') ?? Object.keys(BENCHES)
  const unknown = wanted.find((name) => !(name in BENCHES))
  if (unknown !== undefined) {
    process.stderr.write(
      `There is no bench ${unknown}; there are ${Object.keys(BENCHES).join(', ')}\n`,
    )
    return 1
  }
  print(machine())
  const { rows, failures } = await run(wanted)
  const file = given('json')
  if (file !== undefined) {
    await writeFile(file, `${JSON.stringify({ machine: machine(), rows }, null, 2)}\n`)
  }
  if (process.argv.includes('--write-readme')) await writeReadme(rows)
  return failures === 0 ? 0 : 1
}

// An end by `exit` ends the children, too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
process.exitCode = await main()
