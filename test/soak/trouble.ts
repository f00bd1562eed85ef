/** Faults and kills at random, until it is told to stop. */
import type { Fault, FaultProxy } from '../faults/fault.ts'
import type { Machine } from './machine.ts'
import type { Chance } from './random.ts'
import type { Happenings } from './record.ts'

/** gRPC: deadline exceeded, aborted, internal, unavailable, resource exhausted. */
const GRPC_CODES = [4, 10, 13, 14, 8] as const
const HTTP_CODES = [408, 429, 500, 502, 503] as const
const FIRESTORE_CALLS = [/^Commit$/, /^BatchGetDocuments$/, /^RunQuery$/, /./] as const
const STORAGE_CALLS = [/^POST /, /^PUT /, /^GET /, /^DELETE /, /./] as const

/** Of ten troubles so many are faults; the rest are kills. */
const FAULT_SHARE = 0.93
const SERVERS_SHARE = 0.25

function faultOf(chance: Chance, codes: readonly [number, ...number[]]): Fault {
  const kinds = ['answer', 'answer', 'delay', 'lose-reply', 'lose-reply', 'cut', 'hang'] as const
  const kind = chance.one(kinds)
  switch (kind) {
    case 'answer':
      return { kind, code: chance.one(codes) }
    case 'delay':
      return { kind, milliseconds: chance.between(20, 1500) }
    case 'cut':
      return { kind, afterBytes: chance.between(0, 30_000) }
    default:
      return { kind }
  }
}

function addFault(chance: Chance, { firestore, storage }: Machine): string {
  const add = (
    proxy: FaultProxy,
    calls: readonly [RegExp, ...RegExp[]],
    codes: readonly [number, ...number[]],
  ) => {
    const fault = faultOf(chance, codes)
    proxy.rules.add(chance.one(calls), fault, { times: chance.between(1, 4) })
    return `fault ${fault.kind}`
  }
  return chance.happens(0.5)
    ? add(firestore, FIRESTORE_CALLS, GRPC_CODES)
    : add(storage, STORAGE_CALLS, HTTP_CODES)
}

async function kill(chance: Chance, machine: Machine): Promise<string> {
  if (chance.happens(SERVERS_SHARE)) {
    await machine.killServers()
    return 'kill of the servers'
  }
  const signal = chance.happens(0.75) ? 'SIGKILL' : 'SIGTERM'
  await machine.restartFunctions(signal)
  return signal === 'SIGKILL' ? 'kill of the functions' : 'restart of the functions'
}

export async function makeTrouble(
  chance: Chance,
  machine: Machine,
  record: Happenings,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    await new Promise((resolve) => setTimeout(resolve, chance.between(100, 900)))
    if (chance.happens(FAULT_SHARE)) record.count(addFault(chance, machine))
    else record.count(await kill(chance, machine))
    if (!chance.happens(0.1)) continue
    machine.firestore.rules.heal()
    machine.storage.rules.heal()
  }
  machine.firestore.rules.heal()
  machine.storage.rules.heal()
}
