/** For the acceptance suite: each function in its own process, started by the Functions Framework's own CLI. */
import type { TestProject } from 'vitest/node'
import { call, registerUser, startCloud, startFunction } from '../app.ts'
import { startNode } from '../processes.ts'
import { openFunctionRouter, ROUTED_FUNCTIONS } from './function-router.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cloud = await startCloud()
  const addresses = new Map<string, string>()
  const router = await openFunctionRouter(addresses)
  const environment = { ...cloud.environment, PUBLIC_URL: router.url }
  const started = await Promise.all(
    ROUTED_FUNCTIONS.map(async (name) => ({ name, ...(await startFunction(name, environment)) })),
  )
  for (const { name, url } of started) addresses.set(name, url)
  const { username, password } = await registerUser(router.url)
  const grant = startNode(['infra/run.js', 'admin', 'grant', username], {
    ...cloud.environment,
    WOWMEDIA_DATA_DIR: cloud.dataDir,
  })
  if ((await grant.ended) !== 0) throw new Error(grant.output())
  const checked = await call(router.url, 'GET', '/')
  if (checked.status !== 200) throw new Error('the functions do not answer')
  project.provide('baseUrl', router.url)
  project.provide('admin', { username, password })
  return async () => {
    await Promise.all(started.map(({ process }) => process.stop()))
    await router.close()
    await cloud.close()
  }
}
