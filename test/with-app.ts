import { test as base } from 'vitest'
import { registerUser, startApp } from './app.ts'

/** `test` with a running `npm start` for each worker, and a fresh user for each test that asks for one. */
export const test = base
  .extend('app', { scope: 'worker' }, async ({}, { onCleanup }) => {
    const app = await startApp()
    onCleanup(() => app.close())
    return app
  })
  .extend('user', async ({ app }) => await registerUser(app.url))
