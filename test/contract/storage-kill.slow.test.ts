import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Started, startNode } from '../processes.ts'
import { insertPath, newDirectory, objectPath } from './storage-target.ts'

const KILLS = process.env['FULL'] === '1' ? 100 : 10
const WRITERS = 6
const NAMES_PER_WRITER = 5

/**
 * One name, written by one writer: its operations are numbered, every fifth one (and number 0, before
 * all) is a delete. `acknowledged` is the last that was, `tried` the last that was sent.
 */
type Name = { readonly name: string; acknowledged: number; tried: number }

const isDelete = (operation: number) => operation % 5 === 0

/** The bytes that operation number `operation` stores: it can be told from them alone. */
function contentOf(name: string, operation: number): Buffer {
  const size = (operation * 7919) % 150_000
  return Buffer.concat([Buffer.from(`${name}#${operation}#`), Buffer.alloc(size, operation & 0xff)])
}

/** Stores by one of the three ways, or deletes; resolves with whether it was acknowledged. */
async function operate(url: string, { name }: Name, operation: number): Promise<boolean> {
  if (isDelete(operation)) {
    const answer = await fetch(url + objectPath('kept', name), { method: 'DELETE' })
    await answer.arrayBuffer()
    return answer.status === 204 || answer.status === 404
  }
  const body = contentOf(name, operation)
  const kind = operation % 2 === 0 ? 'media' : 'resumable'
  const sent = kind === 'media' ? new Uint8Array(body) : ''
  const first = await fetch(url + insertPath('kept', name, kind), { method: 'POST', body: sent })
  await first.arrayBuffer()
  if (kind === 'media') return first.ok
  const last = await fetch(first.headers.get('location') ?? '', { method: 'PUT', body })
  await last.arrayBuffer()
  return last.ok
}

/** Writes until the server is dead; tells of each acknowledged operation. */
async function write(url: string, names: readonly Name[], onDone: () => void): Promise<void> {
  try {
    for (let at = 0; ; at++) {
      const target = names[at % names.length]
      if (!target) return
      target.tried++
      if (await operate(url, target, target.tried)) target.acknowledged = target.tried
      onDone()
    }
  } catch {
    // Killed: what was tried last may be there or not.
  }
}

/** Which operation the server shows after the restart; undefined where it is one that cannot be. */
async function shown(url: string, target: Name): Promise<number | undefined> {
  const { name, acknowledged, tried } = target
  const answer = await fetch(`${url}${objectPath('kept', name)}?alt=media`)
  const found = Buffer.from(await answer.arrayBuffer())
  const isShown = (operation: number) =>
    answer.status === 404
      ? isDelete(operation)
      : !isDelete(operation) && found.equals(contentOf(name, operation))
  return [tried, acknowledged].find(isShown)
}

/** Compares all names with what was acknowledged, and goes on from what is there. */
async function compare(url: string, names: readonly Name[]): Promise<string[]> {
  const faults: string[] = []
  for (const target of names) {
    const operation = await shown(url, target)
    if (operation === undefined)
      faults.push(`${target.name} lost ${target.acknowledged} or tore it`)
    else target.acknowledged = operation
  }
  return faults
}

async function start(dataDir: string): Promise<{ child: Started; url: string; swept: number }> {
  const child = startNode(['test/contract/storage-child.ts', dataDir])
  const [, url = '', swept = ''] = await child.line(/listening at (\S+), (\d+) left-over/)
  return { child, url, swept: Number(swept) }
}

/** Every blob file. */
async function blobsIn(dataDir: string): Promise<number> {
  const entries = await readdir(join(dataDir, 'blobs'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).length
}

test(`of ${KILLS} kills amid writes none loses or tears what was acknowledged`, {
  timeout: 300_000,
}, async () => {
  const dataDir = await newDirectory()
  const groups: Name[][] = Array.from({ length: WRITERS }, (_, writer) =>
    Array.from({ length: NAMES_PER_WRITER }, (_each, at) => ({
      ...{ name: `w${writer}/n${at}`, acknowledged: 0, tried: 0 },
    })),
  )
  const names = groups.flat()
  const faults: string[] = []
  let swept = 0

  for (let kill = 0; kill < KILLS; kill++) {
    const server = await start(dataDir)
    swept += server.swept
    const made = await fetch(`${server.url}/b`, { method: 'POST', body: '{"name":"kept"}' })
    await made.arrayBuffer()
    faults.push(...(await compare(server.url, names)))
    const enough = Promise.withResolvers<void>()
    let left = 10 + ((kill * 37) % 90)
    const onDone = () => {
      left--
      if (left === 0) enough.resolve()
    }
    const writers = groups.map((each) => write(server.url, each, onDone))
    await enough.promise
    await server.child.stop('SIGKILL')
    await Promise.all(writers)
  }

  const last = await start(dataDir)
  faults.push(...(await compare(last.url, names)))
  const answer = await fetch(`${last.url}/b/kept/o`)
  const { items = [] }: { items?: unknown[] } = JSON.parse(await answer.text())
  await last.child.stop()
  const operations = names.reduce((sum, { tried }) => sum + tried, 0)
  process.stdout.write(
    `${KILLS} kills, ${operations} operations, ${swept} left-over files deleted\n`,
  )
  expect(faults).toEqual([])
  expect(await blobsIn(dataDir)).toBe(items.length)
  await rm(dataDir, { recursive: true })
})
