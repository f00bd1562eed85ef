import { defineConfig } from 'vitest/config'

const scope = process.env['WOWMEDIA_TEST_SCOPE'] ?? 'usual'

/** What takes over 2 s a test; `npm run test:quick` leaves it out. */
const SLOW = [
  'test/**/*.slow.test.ts',
  'test/accounts/{account,effective-at-once,limits}.test.ts',
  'test/api/openapi.test.ts',
  'test/auth/{devices,login,sessions}.test.ts',
  'test/clients/curl.test.ts',
  'test/http/process.test.ts',
  'test/uploads/{content,direct-uploads,refused-photos}.test.ts',
]
const slow = scope === 'quick' ? SLOW : []
/** Whole counts only: mutants and large numbers. */
const whole = scope === 'full' ? [] : ['test/**/*.full.test.ts']
const exclude = [...slow, ...whole]

const rules = ['test/domain/**/*.test.ts', 'test/image/**/*.test.ts', 'test/crypto/**/*.test.ts']
const acceptance = ['test/acceptance/**/*.test.ts']
const contract = ['test/contract/**/*.test.ts', 'test/local/**/*.test.ts']

function walk(name: string, setup: string) {
  return {
    extends: true as const,
    test: { name, include: acceptance, exclude, globalSetup: [setup], pool: 'forks' as const },
  }
}

/** The same walk over functions in processes of their own: from their sources, and as they are deployed. */
const slowWalks = [
  walk('functions', 'test/setup/started-functions.ts'),
  walk('bundles', 'test/setup/started-bundles.ts'),
]

export default defineConfig({
  test: {
    expect: { requireAssertions: true },
    slowTestThreshold: 500,
    isolate: false,
    maxWorkers: 4,
    // Two cores that others use too: what fails once there is tried once more, and the report says so.
    retry: process.env['CI'] === undefined ? 0 : 1,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    sequence: { shuffle: { files: process.env['CI'] !== undefined, tests: false } },
    coverage: { include: ['functions/**', 'shared/**', 'infra/local/**'] },
    projects: [
      { extends: true, test: { name: 'rules', include: rules, exclude, pool: 'threads' } },
      // The SDKs read the environment, which other tests point to servers of their own.
      {
        extends: true,
        test: { name: 'contract', include: contract, exclude, pool: 'forks', isolate: true },
      },
      {
        extends: true,
        test: {
          name: 'app',
          include: ['test/**/*.test.ts'],
          exclude: [...rules, ...acceptance, ...contract, ...exclude],
          pool: 'forks',
        },
      },
      walk('acceptance', 'test/setup/started-app.ts'),
      ...(scope === 'quick' ? [] : slowWalks),
    ],
  },
})
