/** The table of style.md 3.2: who may import what. `violations` is pure; `checkLayers` reads the tree. */
import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'

type Layer = {
  /** Folder or file; the longest that matches decides. */
  readonly place: string
  readonly folders: readonly string[]
  readonly packages: readonly string[]
}

const STORE_FOLDERS = ['shared/domain', 'shared/store']
const HTTP_FOLDERS = ['shared/domain', 'shared/http', 'shared/config.ts', 'shared/settings.ts']
const CRYPTO_FOLDERS = ['shared/domain', 'shared/crypto']
const FIRESTORE = '@google-cloud/firestore'
const GRPC = ['node:', '@grpc/grpc-js', 'protobufjs']

export const LAYERS: readonly Layer[] = [
  { place: 'shared/domain', folders: ['shared/domain'], packages: [] },
  {
    place: 'shared/image',
    folders: ['shared/domain', 'shared/image'],
    packages: ['node:stream', 'node:zlib'],
  },
  { place: 'shared/setting-forms.ts', folders: ['shared/domain'], packages: [] },
  { place: 'shared/settings.ts', folders: ['shared/setting-forms.ts'], packages: [] },
  { place: 'shared/config.ts', folders: ['shared/domain', 'shared/settings.ts'], packages: [] },
  {
    place: 'shared/caller.ts',
    folders: ['shared/domain', 'shared/crypto', 'shared/store', 'shared/http/endpoint.ts'],
    packages: [],
  },
  {
    place: 'shared/photo-intake.ts',
    folders: ['shared/domain', 'shared/image', 'shared/crypto', 'shared/store'],
    packages: ['node:'],
  },
  {
    place: 'shared/direct-intake.ts',
    folders: ['shared/domain', 'shared/crypto', 'shared/store', 'shared/photo-intake.ts'],
    packages: [],
  },
  { place: 'shared/crypto', folders: CRYPTO_FOLDERS, packages: ['node:'] },
  { place: 'shared/crypto/signing-keys.ts', folders: CRYPTO_FOLDERS, packages: ['node:', 'jose'] },
  { place: 'shared/crypto/token-signer.ts', folders: CRYPTO_FOLDERS, packages: ['node:', 'jose'] },
  {
    place: 'shared/crypto/token-verifier.ts',
    folders: CRYPTO_FOLDERS,
    packages: ['node:', 'jose'],
  },
  {
    place: 'shared/crypto/password-hasher.ts',
    folders: CRYPTO_FOLDERS,
    packages: ['node:', 'argon2'],
  },
  {
    place: 'shared/crypto/common-passwords.ts',
    folders: CRYPTO_FOLDERS,
    packages: ['node:', '@zxcvbn-ts/language-common'],
  },
  { place: 'shared/store', folders: STORE_FOLDERS, packages: ['node:', FIRESTORE] },
  {
    place: 'shared/store/photo-files.ts',
    folders: STORE_FOLDERS,
    packages: ['node:', '@google-cloud/storage'],
  },
  { place: 'shared/http', folders: HTTP_FOLDERS, packages: ['node:'] },
  {
    place: 'shared/http/serve.ts',
    folders: HTTP_FOLDERS,
    packages: ['node:', '@google-cloud/functions-framework'],
  },
  { place: 'shared/http/multipart.ts', folders: HTTP_FOLDERS, packages: ['node:', 'busboy'] },
  {
    place: 'shared/page',
    folders: ['shared/page', 'shared/http/endpoint.ts'],
    packages: ['node:'],
  },
  { place: 'functions', folders: ['shared'], packages: [] },
  { place: 'infra', folders: ['functions', 'shared', 'infra'], packages: ['*'] },
  { place: 'infra/local/firestore', folders: ['infra/local/firestore'], packages: GRPC },
  { place: 'infra/local/storage', folders: ['infra/local/storage'], packages: ['node:'] },
  {
    place: 'test',
    folders: ['functions', 'shared', 'infra', 'test', 'docs/clients'],
    packages: ['*'],
  },
  { place: 'test/acceptance', folders: ['test/acceptance'], packages: ['node:', 'vitest'] },
]

const IMPORT =
  /(?:^|[\s;}])(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|[\s;}(=])import\s*\(?\s*['"]([^'"]+)['"]/g

function within(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`)
}

function layerOf(file: string): Layer | undefined {
  return LAYERS.filter((layer) => within(file, layer.place)).toSorted(
    (a, b) => b.place.length - a.place.length,
  )[0]
}

function packageAllowed(specifier: string, layer: Layer): boolean {
  return layer.packages.some(
    (name) =>
      name === '*' ||
      specifier === name ||
      specifier.startsWith(`${name}/`) ||
      (name === 'node:' && specifier.startsWith('node:')),
  )
}

function allowed(file: string, specifier: string, layer: Layer): boolean {
  if (!specifier.startsWith('.')) return packageAllowed(specifier, layer)
  const target = posix.normalize(posix.join(posix.dirname(file), specifier))
  return layer.folders.some((folder) => within(target, folder))
}

/** Lines `FILE imports SPECIFIER`, one for each import that the table forbids; `import type` and `import()` count. */
export function violations(file: string, source: string): readonly string[] {
  const layer = layerOf(file)
  if (layer === undefined) return [`${file} is in no layer`]
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  return [...code.matchAll(IMPORT)]
    .map((match) => match[1] ?? match[2] ?? '')
    .filter((specifier) => !allowed(file, specifier, layer))
    .map((specifier) => `${file} imports ${specifier}`)
}

/** Every violation in the given files (paths from the root of the repository). */
export async function checkLayers(files: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    files.map(async (file) => violations(file, await readFile(file, 'utf8'))),
  )
  return found.flat()
}
