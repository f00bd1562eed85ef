/** The esbuild plugin that puts into a bundle what the sources read from files. */
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import { assets } from '../../shared/page/assets.ts'

/** The console page; `shared/page/assets.ts` reads its files at start. */
function assetsSource(): string {
  const entries = [...assets].map(([name, { content, contentType }]) => {
    const base64 = JSON.stringify(content.toString('base64'))
    return `[${JSON.stringify(name)}, { content: Buffer.from(${base64}, 'base64'), contentType: ${JSON.stringify(contentType)} }]`
  })
  return `export const assets = new Map([${entries.join(',\n')}]);`
}

function isPasswords(value: unknown): value is { readonly dictionary: Record<string, unknown> } {
  return typeof value === 'object' && value !== null && 'dictionary' in value
}

/** One string instead of 49,000: V8 scans it, and looks into it when it is asked for. */
async function passwordsSource(): Promise<string> {
  const loaded: unknown = await import('@zxcvbn-ts/language-common')
  const list = isPasswords(loaded) ? loaded.dictionary['passwords-common'] : undefined
  if (!Array.isArray(list)) throw new TypeError('the list of common passwords has another form')
  const text = JSON.stringify(list.join('\n'))
  return `export const dictionary = { get 'passwords-common'() { return ${text}.split('\\n'); } };`
}

/** @param root absolute path of the repository, with a final slash */
export function inlinePlugin(root: string): Plugin {
  const assetsFile = join(root, 'shared/page/assets.ts')
  return {
    name: 'inline',
    setup(build) {
      build.onLoad({ filter: /[\\/]shared[\\/]page[\\/]assets\.ts$/ }, ({ path }) =>
        path === assetsFile ? { contents: assetsSource(), loader: 'js' } : undefined,
      )
      build.onResolve({ filter: /^@zxcvbn-ts\/language-common$/ }, () => ({
        path: 'common-passwords',
        namespace: 'inline',
      }))
      build.onLoad({ filter: /.*/, namespace: 'inline' }, async () => ({
        contents: await passwordsSource(),
      }))
    },
  }
}
