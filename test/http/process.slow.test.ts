import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, describe, expect, onTestFinished, test } from 'vitest'
import { startNode } from '../processes.ts'
import { DEPLOYED, members, openRaw, parseAnswer, startForTest } from './fixture-server.ts'

async function openSlow(port: number, url: string, milliseconds: number) {
  const connection = openRaw(port)
  connection.socket.write(`GET /slow?ms=${milliseconds} HTTP/1.1\r\nHost: a\r\n\r\n`)
  await fetch(`${url}/hello`)
  return connection
}

/** Two requests run while a third makes an error that nobody catches. */
async function crash(path: string, event: string) {
  const server = await startForTest(DEPLOYED)
  const finishing = await openSlow(server.port, server.url, 500)
  const endless = await openSlow(server.port, server.url, 60_000)
  const cause = await fetch(`${server.url}${path}`)
  const answers = [parseAnswer(await finishing.closed), parseAnswer(await endless.closed)]
  const code = await server.process.ended
  const entries = server.process.output().trimEnd().split('\n').map(members)
  return { code, cause, answers, logged: entries.filter((entry) => entry['event'] === event) }
}

describe('an end', { timeout: 120_000 }, () => {
  test('OPS-03 SIGTERM lets requests finish for 8 s, answers the rest with 503 and ends with 0', async () => {
    const server = await startForTest()
    const finishing = await openSlow(server.port, server.url, 2000)
    const endless = await openSlow(server.port, server.url, 60_000)

    const ended = server.process.stop('SIGTERM')
    const finished = parseAnswer(await finishing.closed)
    const aborted = parseAnswer(await endless.closed)

    expect([finished.status, finished.headers.get('connection')]).toEqual([200, 'close'])
    expect([
      aborted.status,
      members(aborted.body)['code'],
      aborted.headers.get('retry-after'),
    ]).toEqual([503, 'unavailable', '2'])
    expect(await ended).toBe(0)
  })

  test('comes by itself once nobody reads the log any more, and what runs finishes', async () => {
    const server = await startForTest()
    const finishing = await openSlow(server.port, server.url, 1000)

    server.process.closeOutput()
    // Its line cannot be written; its own connection may end with it.
    await fetch(`${server.url}/hello`).catch(() => undefined)

    expect(parseAnswer(await finishing.closed).status).toBe(200)
    expect(await server.process.ended).toBe(0)
  })

  test('OPS-04 what nobody caught is logged, drains 2 s at most and ends with 1; nobody else gets its text', async () => {
    const causes = [
      { path: '/throw', event: 'uncaught_exception', text: 'nobody catches this' },
      { path: '/reject', event: 'unhandled_rejection', text: 'nobody awaits this' },
    ]

    const ends = await Promise.all(
      causes.map(async ({ path, event, text }) => ({ text, ...(await crash(path, event)) })),
    )

    for (const { text, code, cause, answers, logged } of ends) {
      expect([cause.status, ...answers.map(({ status }) => status)]).toEqual([200, 200, 503])
      expect(answers.filter((answer) => answer.text.includes(text))).toEqual([])
      expect(code).toBe(1)
      expect(logged).toEqual([
        expect.objectContaining({ severity: 'ERROR', stack: expect.stringContaining(text) }),
      ])
    }
  })
})

type Project = { readonly folder: string; readonly framework: string }

/** This project with a framework of its own that a test may change. */
async function copyProject(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'wowmedia-framework-'))
  const packages = join(folder, 'node_modules')
  const framework = join(packages, '@google-cloud', 'functions-framework')
  await mkdir(join(packages, '@google-cloud'), { recursive: true })
  const names = await readdir('node_modules')
  const others = names.filter((name) => !name.startsWith('.') && name !== '@google-cloud')
  await Promise.all(
    others.map((name) => symlink(join(process.cwd(), 'node_modules', name), join(packages, name))),
  )
  await cp('node_modules/@google-cloud/functions-framework', framework, { recursive: true })
  await cp('shared', join(folder, 'shared'), { recursive: true })
  await cp('test/http/fixtures', join(folder, 'test/http/fixtures'), { recursive: true })
  await cp('package.json', join(folder, 'package.json'))
  return { folder, framework }
}

const frameworkTest = base.extend('project', async ({}, { onCleanup }) => {
  const project = await copyProject()
  onCleanup(() => rm(project.folder, { recursive: true, force: true }))
  return project
})

async function edit(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(path, 'utf8')
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`)
  await writeFile(path, text.replaceAll(from, to))
}

function startCopy({ folder, framework }: Project) {
  const source = join(folder, 'test/http/fixtures/fixture.ts')
  const args = [join(framework, 'build/src/main.js'), '--target=fixture', `--source=${source}`]
  const started = startNode(args, { PORT: '0' }, folder)
  onTestFinished(() => void started.stop('SIGKILL'))
  return started
}

describe('a framework that is not the one that was checked', { timeout: 120_000 }, () => {
  frameworkTest(
    'SUP-01 another version, a server made elsewhere or other listeners end the start with one line',
    async ({ project }) => {
      const unchanged = startCopy(project)
      await unchanged.line(/listening on/)
      await unchanged.stop()

      const manifest = join(project.framework, 'package.json')
      await edit(manifest, '"version": "5.0.5"', '"version": "5.1.0"')
      const bumped = startCopy(project)
      const bumpedCode = await bumped.ended
      await edit(manifest, '"version": "5.1.0"', '"version": "5.0.5"')

      const server = join(project.framework, 'build/src/server.js')
      await edit(server, 'http.createServer(app)', 'new http.Server(app)')
      const elsewhere = startCopy(project)
      const elsewhereCode = await elsewhere.ended
      await edit(server, 'new http.Server(app)', 'http.createServer(app)')

      await edit(
        join(project.framework, 'build/src/invoker.js'),
        "['SIGINT', 'SIGTERM']",
        "['SIGTERM']",
      )
      const fewer = startCopy(project)
      const fewerCode = await fewer.ended

      expect([bumpedCode, bumped.output().trim()]).toEqual([
        1,
        expect.stringMatching(/^functions-framework 5\.1\.0 was started, but 5\.0\.5 is needed.*$/),
      ])
      expect([elsewhereCode, elsewhere.output().trim()]).toEqual([
        1,
        expect.stringMatching(/^the server of functions-framework was not replaced.*$/),
      ])
      expect([fewerCode, fewer.output()]).toEqual([
        1,
        expect.stringMatching(/^functions-framework added 3 process listeners, not 4$/m),
      ])
    },
  )
})
