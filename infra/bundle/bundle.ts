/** One deployable file from one function (deploy.md 1.3). */
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build, type Metafile, transform } from 'esbuild'
import { markEager, openEager } from './eager-modules.ts'
import { inlinePlugin } from './inline-plugin.ts'
import { trimPlugin } from './trim-plugin.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export type Bundle = { readonly bytes: number; readonly metafile: Metafile }

export type BundleOptions = {
  /** Packages that stay beside the bundle in `node_modules`. */
  readonly external: readonly string[]
  /** The Storage SDK looks at the names of classes; without them a start is 2 % faster. */
  readonly keepNames: boolean
}

/** Bundles `entry` into `outfile`, CommonJS for Node 24, without what the SDKs load and never use. */
export async function bundle(
  entry: string,
  outfile: string,
  { external, keepNames }: BundleOptions,
): Promise<Bundle> {
  const { metafile, outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile,
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    keepNames,
    legalComments: 'none',
    logLevel: 'silent',
    metafile: true,
    external: [...external],
    plugins: [trimPlugin(`${ROOT}node_modules`), inlinePlugin(ROOT)],
  })
  const [output] = outputFiles
  if (output === undefined) throw new Error(`${entry} gave no bundle`)
  const { code } = await transform(markEager(output.text), {
    minify: true,
    keepNames,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    legalComments: 'none',
  })
  const source = openEager(code)
  await writeFile(outfile, source)
  return { bytes: Buffer.byteLength(source), metafile }
}
