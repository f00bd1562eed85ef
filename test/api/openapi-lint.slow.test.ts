import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readEndpoints } from '../../infra/endpoints.ts'
import { startNode } from '../processes.ts'

const CLI = join(process.cwd(), 'node_modules/@redocly/cli/bin/cli.js')
const FILE = join(process.cwd(), 'shared/page/openapi.json')
/**
 * The linter's recommended rules, but one: `servers` names npm start's address, since where a deployment is
 * only its owner knows.
 */
const CONFIG = 'extends: [recommended-strict]\nrules:\n  no-server-example.com: off\n'
const QUIET = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', CI: 'true' }

test('the field’s linter finds nothing in the description, warnings included', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wowmedia-lint-'))
  await writeFile(join(folder, 'redocly.yaml'), CONFIG)

  const lint = startNode([CLI, 'lint', FILE, '--format=json'], QUIET, folder)

  const code = await lint.ended
  await rm(folder, { recursive: true })
  expect(code, lint.output()).toBe(0)
  expect(lint.output()).toMatch(/"totals": *{\s*"errors": 0,\s*"warnings": 0,\s*"ignored": 0/)
})

test('every route of a function is described, and nothing else', async () => {
  const endpoints = await readEndpoints()
  const { default: document } = await import('../../shared/page/openapi.json', {
    with: { type: 'json' },
  })
  const served = endpoints
    .filter(({ name }) => name !== 'sweep')
    .flatMap(({ routes }) => Object.keys(routes))
    .filter((key) => !/^GET \/(console\/|favicon|robots)/.test(key))

  const described = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  )

  expect(described.toSorted()).toEqual(served.toSorted())
})
