import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import { keyFiles } from '../../infra/local/environment.ts'
import { createLocalKeys } from '../../infra/local/keys.ts'
import { FUNCTIONS, PLATFORM_SETTINGS, SECRETS } from '../../infra/manifest.ts'
import { SETTINGS } from '../../shared/settings.ts'
import { call } from '../app.ts'
import { startNode } from '../processes.ts'
import { buildBundles, ownVariables, startBundle } from './bundled.ts'

const test = base.extend('bundles', { scope: 'file' }, async ({}, { onCleanup }) => {
  const bundles = await buildBundles()
  await createLocalKeys(bundles.folder)
  onCleanup(() => bundles.remove())
  return bundles
})

const ROWS = FUNCTIONS.map((spec) => [spec.name, spec] as const)
/** The first test of a file waits for the build of all bundles. */
const BUILDING = { timeout: 120_000 }

/** Files of a bundle, with slashes; what esbuild left of them counts, not what it saw. */
function holds(inputs: readonly string[], part: string): boolean {
  return inputs.some((file) => file.includes(part))
}

async function inputsOf(bundles: Awaited<ReturnType<typeof buildBundles>>, name: string) {
  const [output] = Object.values(bundles.built.get(name)?.metafile.outputs ?? {})
  return Object.entries(output?.inputs ?? {})
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => file)
}

test.for(ROWS)(
  '%s holds what its row allows and nothing else',
  BUILDING,
  async ([name, spec], { bundles }) => {
    const inputs = await inputsOf(bundles, name)

    expect(holds(inputs, 'node_modules/@google-cloud/firestore/')).toBe(spec.firestore)
    expect(holds(inputs, 'node_modules/@google-cloud/storage/')).toBe(spec.bucket.length > 0)
    expect(holds(inputs, 'shared/crypto/token-signer.ts')).toBe(spec.secrets.includes('signingKey'))
    expect(holds(inputs, 'shared/crypto/token-secrets.ts')).toBe(
      spec.secrets.includes('tokenSecret'),
    )
    expect(holds(inputs, 'shared/crypto/password-hash')).toBe(spec.native.includes('argon2'))
    expect(inputs.filter((file) => /^(infra|test|functions)\//.test(file))).toEqual([
      `functions/${name}.ts`,
    ])
  },
)

/** Settings whose names stand in the sources of a bundle. */
async function settingsRead(inputs: readonly string[]): Promise<readonly string[]> {
  const own = inputs.filter((file) => /^(shared|functions)\//.test(file) && file.endsWith('.ts'))
  const sources = await Promise.all(own.map((file) => readFile(file, 'utf8')))
  const calls = sources.flatMap((source) => [
    ...source.matchAll(/settings\(([^;]*?)\)|SETTINGS = \[([^\]]*)\]/g),
  ])
  const text = calls.map(([whole]) => whole).join('\n')
  return Object.keys(SETTINGS).filter((name) => text.includes(`'${name}'`))
}

test.for(ROWS)(
  '%s is given the settings that it reads',
  BUILDING,
  async ([name, spec], { bundles }) => {
    const mounts = spec.secrets.map((secret) => SECRETS[secret].setting)
    const given = new Set<string>([...spec.settings, ...mounts, ...PLATFORM_SETTINGS])

    const read = await settingsRead(await inputsOf(bundles, name))
    const missing = read.filter((setting) => !given.has(setting))
    const unread = [...spec.settings, ...mounts].filter((setting) => !read.includes(setting))

    expect(missing).toEqual([])
    expect(unread).toEqual([])
  },
)

const SECRET_TEXT =
  /BEGIN [A-Z ]*PRIVATE KEY-----\\n[A-Za-z0-9+/]{20}|"d":"[\w-]{43}"|requireAssertions|wowmedia-test-/

test.for(ROWS)(
  'SUP-03 the folder of %s holds four files and no test, key, server or script',
  BUILDING,
  async ([name, spec], { bundles }) => {
    const folder = join(bundles.folder, name)
    const files = (await readdir(folder)).toSorted()
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    const lock = await readFile(join(folder, 'package-lock.json'), 'utf8')
    const ignored = await readFile(join(folder, '.gcloudignore'), 'utf8')
    const source = await readFile(join(folder, 'index.js'), 'utf8')

    expect(files).toEqual(['.gcloudignore', 'index.js', 'package-lock.json', 'package.json'])
    expect(ignored.trim().split('\n')).toEqual([
      '*',
      '!index.js',
      '!package.json',
      '!package-lock.json',
    ])
    expect(Object.keys(manifest).toSorted()).toEqual([
      'dependencies',
      'engines',
      'main',
      'name',
      'private',
      'version',
    ])
    expect(Object.keys(manifest.dependencies)).toEqual([
      '@google-cloud/functions-framework',
      ...spec.native,
    ])
    expect(Object.values(manifest.dependencies).join()).toMatch(/^\d+\.\d+\.\d+(,\d+\.\d+\.\d+)?$/)
    expect(lock).not.toMatch(/"resolved"|https?:\/\/[^"]*\.tgz|"dev": true/)
    expect(SECRET_TEXT.exec(source)?.[0]).toBeUndefined()
  },
)

test('argon2 needs no install script: the binary that it ships hashes', async () => {
  const child = startNode([
    '-e',
    "require('argon2').hash('x', { memoryCost: 1024, timeCost: 2, parallelism: 1 }).then(console.log)",
  ])

  const code = await child.ended

  expect(code).toBe(0)
  expect(child.output()).toMatch(/^\$argon2id\$/)
})

const REQUIRED = [
  'GOOGLE_CLOUD_PROJECT',
  'FIRESTORE_DATABASE',
  'PHOTO_BUCKET',
  'TOKEN_ISSUER',
  'TOKEN_AUDIENCE',
]

function variablesOf(folder: string): Record<string, string> {
  return {
    GOOGLE_CLOUD_PROJECT: 'demo',
    FIRESTORE_DATABASE: '(default)',
    PHOTO_BUCKET: 'photos',
    TOKEN_ISSUER: 'https://issuer.test',
    TOKEN_AUDIENCE: 'wowmedia',
    ...keyFiles(folder),
  }
}

test.for(ROWS)(
  'OPS-05 %s ends with one line that names the variable, whichever is missing',
  BUILDING,
  async ([name, spec], { bundles }) => {
    const cli = join(
      process.cwd(),
      'node_modules/@google-cloud/functions-framework/build/src/main.js',
    )
    const own = ownVariables(spec, variablesOf(bundles.folder))
    const mounts = spec.secrets.map((secret): string => SECRETS[secret].setting)
    const every = [...REQUIRED.filter((setting) => own[setting] !== undefined), ...mounts].filter(
      // A static function names its project in log lines only where it is deployed.
      (setting) => spec.firestore || setting !== 'GOOGLE_CLOUD_PROJECT',
    )

    const needed = process.env['FULL'] === '1' ? every : every.slice(-2)

    const outcomes = await Promise.all(
      needed.map(async (missing) => {
        const variables = Object.entries(own).filter(([variable]) => variable !== missing)
        const started = startNode(
          [cli, `--target=${name}`],
          { ...Object.fromEntries(variables), PORT: '0' },
          join(bundles.folder, name),
        )
        const runs = started
          .line(/listening/)
          .then(() => started.stop('SIGKILL'))
          .then(
            () => 'it runs',
            () => started.ended,
          )
        const code = await Promise.race([started.ended, runs])
        return { missing, code, first: started.output().split('\n')[0] ?? '' }
      }),
    )

    for (const { missing, code, first } of outcomes) {
      expect(code, missing).toBe(1)
      expect(first).toMatch(new RegExp(`^${missing} `))
    }
    expect(outcomes.length).toBe(needed.length)
  },
)

test(
  'OPS-06 welcome answers where no store is, with what is documented and nothing of the inside',
  BUILDING,
  async ({ bundles }) => {
    const server = await startBundle('welcome', bundles.folder, {
      NODE_ENV: 'production',
      FIRESTORE_EMULATOR_HOST: '127.0.0.1:1',
      GOOGLE_CLOUD_PROJECT: 'demo',
    })

    const answer = await call(server.url, 'GET', '/')
    await server.process.stop()

    expect(answer.status).toBe(200)
    expect(Object.keys(answer.body).toSorted()).toEqual(['links', 'message'])
    expect(JSON.stringify([...answer.headers])).not.toMatch(/express|node|\d+\.\d+\.\d+/i)
  },
)
