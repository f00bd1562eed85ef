/** For the acceptance suite: `npm start`, with one admin. */
import type { TestProject } from 'vitest/node'
import { registerUser, startApp } from '../app.ts'
import { startNode } from '../processes.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const app = await startApp()
  const { username, password } = await registerUser(app.url)
  const grant = startNode(['infra/run.js', 'admin', 'grant', username], {
    WOWMEDIA_DATA_DIR: app.dataDir,
  })
  if ((await grant.ended) !== 0) throw new Error(grant.output())
  project.provide('baseUrl', app.url)
  project.provide('admin', { username, password })
  return () => app.close()
}
