import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Each chunk that arrives is a buffer outside of V8's heap. Left alone, V8 answers to their growth with collections of
 * the whole heap, some for each 18 MiB received; one of the young part (below 1 ms) frees most of them.
 */
const COLLECT_EVERY_BYTES = 8_000_000

let collect: (() => void) | undefined
let sinceLast = 0

function isCollector(value: unknown): value is (options: { type: 'minor' }) => void {
  return typeof value === 'function'
}

/** V8 offers its collector only to contexts made under this flag; the process's own is left without. */
function openCollector(): () => void {
  setFlagsFromString('--expose-gc')
  const collector: unknown = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  return isCollector(collector) ? () => collector({ type: 'minor' }) : () => undefined
}

/** To be told of every chunk of a body. */
export function countChunk(bytes: number): void {
  sinceLast += bytes
  if (sinceLast < COLLECT_EVERY_BYTES) return
  sinceLast = 0
  collect ??= openCollector()
  collect()
}
