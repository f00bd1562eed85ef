import { readFile, rm } from 'node:fs/promises'
import { expect } from 'vitest'
import { startNode } from '../processes.ts'
import { test } from '../with-app.ts'

type Summary = {
  readonly run: { readonly stats: Record<string, { total: number; failed: number }> }
}

function isSummary(value: unknown): value is Summary {
  return typeof value === 'object' && value !== null && 'run' in value
}

test('the Postman collection runs in order, and every assertion holds', async ({ app }) => {
  const report = `${app.dataDir}/newman.json`

  const newman = startNode([
    'node_modules/newman/bin/newman.js',
    'run',
    'docs/wowmedia.postman_collection.json',
    '--environment=docs/wowmedia.postman_environment.json',
    `--env-var=base_url=${app.url}`,
    '--reporters=cli,json',
    `--reporter-json-export=${report}`,
  ])

  expect(await newman.ended, newman.output()).toBe(0)
  const summary: unknown = JSON.parse(await readFile(report, 'utf8'))
  await rm(report)
  if (!isSummary(summary)) throw new TypeError('newman gave no summary')
  const { requests, assertions } = summary.run.stats
  expect(requests).toMatchObject({ failed: 0 })
  expect(assertions).toMatchObject({ failed: 0 })
  expect(requests?.total).toBeGreaterThan(25)
})
