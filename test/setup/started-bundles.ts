/** For the acceptance suite: every bundle as it is deployed, with the variables of its row in the manifest. */
import type { TestProject } from 'vitest/node'
import { FUNCTIONS } from '../../infra/manifest.ts'
import { registerUser, startCloud } from '../app.ts'
import { buildBundles, ownVariables, startBundle } from '../infra/bundled.ts'
import { startNode } from '../processes.ts'
import { openFunctionRouter } from './function-router.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [cloud, bundles] = await Promise.all([startCloud(), buildBundles()])
  const addresses = new Map<string, string>()
  const router = await openFunctionRouter(addresses)
  const environment = { ...cloud.environment, PUBLIC_URL: router.url }
  const started = await Promise.all(
    FUNCTIONS.filter(({ public: routed }) => routed).map(async (spec) => {
      const variables = ownVariables(spec, environment)
      return { name: spec.name, ...(await startBundle(spec.name, bundles.folder, variables)) }
    }),
  )
  for (const { name, url } of started) addresses.set(name, url)
  const { username, password } = await registerUser(router.url)
  const grant = startNode(['infra/run.js', 'admin', 'grant', username], {
    ...cloud.environment,
    WOWMEDIA_DATA_DIR: cloud.dataDir,
  })
  if ((await grant.ended) !== 0) throw new Error(grant.output())
  project.provide('baseUrl', router.url)
  project.provide('admin', { username, password })
  return async () => {
    await Promise.all(started.map(({ process }) => process.stop()))
    await router.close()
    await cloud.close()
    await bundles.remove()
  }
}
