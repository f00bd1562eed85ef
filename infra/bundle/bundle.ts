/** One deployable file from one function (deploy.md 1.3). */
import { fileURLToPath } from 'node:url'
import { build, type Metafile } from 'esbuild'
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
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: true,
    keepNames: true,
    legalComments: 'none',
    logLevel: 'silent',
    metafile: true,
    external: [...external],
    plugins: [trimPlugin(`${ROOT}node_modules`), inlinePlugin(ROOT)],
  })
  const [output] = Object.values(metafile.outputs)
  return { bytes: output?.bytes ?? 0, metafile }
}
