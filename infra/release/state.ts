/** What a release or a provisioning remembers, so that it can go on after an interruption and be undone. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type ReleasedFunction = {
  /** Revision that served before; undefined for a service that was new. */
  readonly previous?: string
  /** Revision that was deployed. */
  readonly candidate?: string
  readonly candidateUrl?: string
  /** Digest of what was deployed: the same is not deployed again. */
  readonly digest?: string
  readonly promoted?: true
}

export type State = {
  readonly functions: Readonly<Record<string, ReleasedFunction>>
  /** Steps of a provisioning that was not finished. */
  readonly steps: readonly string[]
}

const EMPTY: State = { functions: {}, steps: [] }

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isState(value: unknown): value is State {
  return (
    isRecord(value) &&
    isRecord(value['functions']) &&
    Object.values(value['functions']).every(isRecord) &&
    Array.isArray(value['steps']) &&
    value['steps'].every((step) => typeof step === 'string')
  )
}

export type StateFile = {
  readonly path: string
  read(): Promise<State>
  /** Replaces parts of the state; calls one after the other, each written as a whole. */
  change(update: (state: State) => State): Promise<void>
}

/** `.wowmedia/releases/PROJECT.REGION.json`: on this machine only, no secret in it. */
export function openState(
  { project, region }: { readonly project: string; readonly region: string },
  folder = '.wowmedia/releases',
): StateFile {
  const path = join(folder, `${project}.${region}.json`)
  const read = async (): Promise<State> => {
    const text = await readFile(path, 'utf8').catch(() => '')
    const parsed: unknown = text === '' ? EMPTY : JSON.parse(text)
    return isState(parsed) ? parsed : EMPTY
  }
  let queue: Promise<void> = Promise.resolve()
  const write = async (update: (state: State) => State) => {
    await mkdir(folder, { recursive: true })
    const draft = `${path}.${process.pid}.new`
    await writeFile(draft, `${JSON.stringify(update(await read()), null, 2)}\n`)
    await rename(draft, path)
  }
  return {
    path,
    read,
    change: (update) => {
      queue = queue.then(() => write(update))
      return queue
    },
  }
}

/** One function's part changed, the rest as it was. */
export function withFunction(state: State, name: string, part: ReleasedFunction): State {
  return {
    ...state,
    functions: { ...state.functions, [name]: { ...state.functions[name], ...part } },
  }
}
