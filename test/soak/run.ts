/**
 * `npm run soak -- --minutes N --seed S`: phones on a system whose network breaks and whose processes are killed;
 * then quiet, and everything is compared. Exit code 1 where a promise was broken. The seed gives the same draws;
 * what they meet depends on the machine's speed, too.
 */
import { rm } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { openStored } from '../faults/stored.ts'
import { compareStored } from './compare.ts'
import { type Holding, holdingOf, temporaryFiles } from './gauge.ts'
import { GaveUp, openLine } from './line.ts'
import { type Machine, openMachine } from './machine.ts'
import { Phone } from './phone.ts'
import { type Chance, chanceOf } from './random.ts'
import { type Happenings, openRecord } from './record.ts'
import { makeTrouble } from './trouble.ts'

const PHONES = 20
const PROGRESS_MS = 10_000
/** By then what a process needs for its work is there. */
const WARM_MS = 30_000
/** Idle connections have ended by then. */
const QUIET_MS = 8_000
/** Connections to the bucket are kept for 60 s. */
const KEPT_MS = 75_000
const MORE_HEAP_MEGABYTES = 24
const MORE_DESCRIPTORS = 16

const SETTINGS = {
  UPLOAD_LIMIT: '100000/minute',
  PHOTO_QUOTA_COUNT: '100000',
}

const print = (line: string) => process.stdout.write(`${line}\n`)

function numberOf(name: string, fallback: number): number {
  const given = process.argv.find((argument) => argument.startsWith(`--${name}=`))
  const value = Number(given?.slice(name.length + 3) ?? fallback)
  if (!(value > 0)) throw new RangeError(`--${name} must be a number above 0`)
  return value
}

/** One thing that a phone does. */
async function act(phone: Phone, chance: Chance, storageOf: (address: string) => string) {
  const draw = chance.next()
  if (draw < 0.4) await phone.upload()
  else if (draw < 0.58) await phone.refresh()
  else if (draw < 0.72) await phone.look(storageOf)
  else if (draw < 0.84) await phone.compare()
  else if (draw < 0.93) await phone.deletePhoto()
  else if (draw < 0.985) await phone.logOut()
  else await phone.deleteAccount()
}

async function live(
  phone: Phone,
  chance: Chance,
  storageOf: (address: string) => string,
  isOver: () => boolean,
): Promise<void> {
  try {
    await phone.register()
    while (!isOver()) {
      await pause(chance.between(20, 400))
      await act(phone, chance, storageOf)
    }
    await phone.refresh()
    await phone.compare()
  } catch (error) {
    if (!(error instanceof GaveUp)) throw error
  }
}

type Held = { readonly holding: Holding | undefined; readonly heap: number | undefined }

async function heldBy(machine: Machine): Promise<Held> {
  return { heap: await machine.steadyHeap(), holding: await holdingOf(machine.steadyPid) }
}

/** `idle` is before the first call, `warm` amid the load, `after` once it is quiet again. */
function compareHeld(idle: Held, warm: Held, after: Held, record: Happenings): void {
  const [before, now] = [idle.holding, after.holding]
  if (before === undefined || now === undefined) {
    print('memory and descriptors: not measured here')
    return
  }
  print(
    `the functions: heap ${warm.heap} to ${after.heap} MB, resident ${warm.holding?.megabytes} to ${now.megabytes} MB, descriptors ${before.descriptors} to ${now.descriptors}`,
  )
  if ((after.heap ?? 0) > (warm.heap ?? 0) + MORE_HEAP_MEGABYTES) record.violation('memory leaks')
  if (now.descriptors > before.descriptors + MORE_DESCRIPTORS) {
    record.violation('descriptors leak')
  }
}

/** Waits for what is kept open only for a while. */
async function untilClosed({ steadyPid }: Machine, { holding }: Held): Promise<void> {
  const most = (holding?.descriptors ?? 0) + MORE_DESCRIPTORS
  const endsAt = performance.now() + KEPT_MS
  while (((await holdingOf(steadyPid))?.descriptors ?? 0) > most && performance.now() < endsAt) {
    await pause(1_000)
  }
}

async function soak(machine: Machine, minutes: number, seed: number): Promise<Happenings> {
  const record = openRecord(print)
  const startedAt = performance.now()
  const elapsed = () => performance.now() - startedAt
  const isOver = () => elapsed() >= minutes * 60_000
  const progress = setInterval(() => {
    const seconds = Math.round(elapsed() / 1000)
    print(`${seconds} s: ${record.summary()}; ${record.violations().length} violations`)
  }, PROGRESS_MS)
  const idle = await heldBy(machine)
  const storageOf = (address: string) =>
    address.replace(machine.storage.host, new URL(storageUrl(machine)).host)
  const phones = Array.from({ length: PHONES }, (_, number) => {
    const chance = chanceOf(seed * 1000 + number)
    const address = `192.0.2.${number + 1}`
    const line = openLine({ chance, record, urls: machine.urls, address, isCalm: isOver })
    return { chance, phone: new Phone({ number, seed, chance, line, record }) }
  })
  const warm = pause(Math.min(WARM_MS, minutes * 30_000)).then(() => heldBy(machine))
  await Promise.all([
    makeTrouble(chanceOf(seed), machine, record, isOver),
    ...phones.map(({ phone, chance }) => live(phone, chance, storageOf, isOver)),
  ])
  await pause(QUIET_MS)
  await untilClosed(machine, idle)
  compareHeld(idle, await warm, await heldBy(machine), record)
  await comparePlaces(
    machine,
    phones.map(({ phone }) => phone),
    record,
  )
  clearInterval(progress)
  return record
}

function storageUrl({ direct }: Machine): string {
  return direct['STORAGE_EMULATOR_HOST'] ?? ''
}

async function comparePlaces(machine: Machine, phones: readonly Phone[], record: Happenings) {
  const stored = openStored(machine.direct)
  try {
    await compareStored(stored, phones, record)
  } finally {
    await stored.close()
  }
  // Sessions that a killed process left open keep what they got until they expire.
  const left = await temporaryFiles(machine.dataDir, machine.scratch)
  const own = left.filter((file) => file.includes('scratch'))
  print(
    `temporary files: ${own.length} of the functions, ${left.length - own.length} in the bucket`,
  )
  if (own.length > 0) record.violation(`temporary files are left: ${own.join(' ')}`)
}

async function main(): Promise<number> {
  const minutes = numberOf('minutes', 10)
  const seed = numberOf('seed', Date.now() % 1_000_000)
  print(`soak of ${minutes} minutes, --seed=${seed}`)
  const machine = await openMachine(SETTINGS)
  try {
    const record = await soak(machine, minutes, seed)
    const broken = record.violations()
    print(record.summary())
    for (const line of broken) print(`BROKEN ${line}`)
    print(
      broken.length === 0
        ? 'nothing was lost, doubled or left behind'
        : `${broken.length} violations, --seed=${seed}`,
    )
    return broken.length === 0 ? 0 : 1
  } finally {
    await machine.close()
    await rm(machine.dataDir, { recursive: true, force: true })
  }
}

// An end by `exit` ends the children, too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
process.exitCode = await main()
