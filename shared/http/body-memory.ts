/** Keeps memory flat while bodies stream through: what V8 would let pile up is collected every 8 MB. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Each chunk of a body is a buffer of its own outside of the heap. V8 collects them once they are as much as two of its
 * largest semi-spaces, and the allocator keeps what they took: 200 MB streamed raised the resident size by 55 to 110 MB,
 * with a scavenge (below 1 ms) every 8 MB by 12 MB (UP-02 allows 40). Every 2 MB would free no more, since behind a
 * slow bucket each scavenge only makes the waiting buffers old.
 */
const SCAVENGE_BYTES = 8_000_000

type Scavenge = () => void
let scavenge: Scavenge | undefined
let sinceLast = 0

function isCollector(value: unknown): value is (options: { type: 'minor' }) => void {
  return typeof value === 'function'
}

/** V8 offers its collector only to contexts made under this flag; the process's own is left without. */
function openCollector(): Scavenge {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  return isCollector(collect) ? () => collect({ type: 'minor' }) : () => undefined
}

/** To be told of every chunk of every body. */
export function countBodyBytes(bytes: number): void {
  sinceLast += bytes
  if (sinceLast < SCAVENGE_BYTES) return
  sinceLast = 0
  scavenge ??= openCollector()
  scavenge()
}
