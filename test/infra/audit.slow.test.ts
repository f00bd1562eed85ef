import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startNode } from '../processes.ts'

type Registry = { readonly url: string; readonly asked: string[]; close(): Promise<void> }

function packument(path: string): string {
  const name = decodeURIComponent(path.slice(1))
  const version = '1.6.0'
  return JSON.stringify({
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { name, version } },
  })
}

/** A registry that knows the given weaknesses, or has no audit service at all. */
async function startRegistry(advisories: object | undefined): Promise<Registry> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    request.resume()
    request.on('end', () => {
      if (request.method === 'GET') return void response.end(packument(request.url ?? ''))
      response.writeHead(advisories === undefined ? 405 : 200, {
        'content-type': 'application/json',
      })
      response.end(JSON.stringify(advisories ?? { error: 'Method Not Allowed' }))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  return {
    url: `http://127.0.0.1:${address.port}/`,
    asked,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function audit(advisories: object | undefined) {
  const registry = await startRegistry(advisories)
  // npm remembers weaknesses by their number, so each audit has a memory of its own.
  const cache = await mkdtemp(join(tmpdir(), 'wowmedia-npm-'))
  const args = ['infra/run.js', 'audit', `--registry=${registry.url}`]
  const child = startNode(args, { npm_config_cache: cache })
  const code = await child.ended
  await registry.close()
  await rm(cache, { recursive: true, force: true })
  return { code, printed: child.output(), asked: registry.asked }
}

function weakness(severity: string) {
  return [
    {
      id: 1,
      url: 'https://example.com/1',
      title: 'made up',
      severity,
      vulnerable_versions: '>=0.0.0',
    },
  ]
}

test('a registry that knows nothing bad is a success', async () => {
  const { code, printed, asked } = await audit({})

  expect(code).toBe(0)
  expect(printed).toContain('0 known, 0 high or critical')
  expect(asked).toContain('POST /-/npm/v1/security/advisories/bulk')
})

test('SUP-02 one high weakness of a deployed package ends with 1 and its name', async () => {
  const { code, printed } = await audit({ busboy: weakness('high') })

  expect(code).toBe(1)
  expect(printed).toContain('high: busboy')
})

test('a moderate one is counted and stops nothing', async () => {
  const { code, printed } = await audit({ busboy: weakness('moderate') })

  expect(code).toBe(0)
  expect(printed).toContain('0 high or critical')
  expect(printed).not.toContain('0 known')
})

test('a registry without the service is skipped in words, never passed in silence', async () => {
  const { code, printed } = await audit(undefined)

  expect(code).toBe(0)
  expect(printed).toMatch(/^skipped: this registry has no audit service/m)
})
