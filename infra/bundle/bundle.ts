/** One deployable file from one function (deploy.md 1.3). */
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build, type Metafile, transform } from 'esbuild'
import { markEager, openEager } from './eager-modules.ts'
import { inlinePlugin } from './inline-plugin.ts'
import { trimPlugin } from './trim-plugin.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export type Bundle = { readonly bytes: number; readonly metafile: Metafile }

/**
 * Bundles `entry` into `outfile`, CommonJS for Node 24, without what the SDKs load and never use.
 * @param external packages that stay beside the bundle in `node_modules`
 */
export async function bundle(
  entry: string,
  outfile: string,
  external: readonly string[],
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
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    legalComments: 'none',
  })
  const source = openEager(code)
  await writeFile(outfile, source)
  return { bytes: Buffer.byteLength(source), metafile }
}
