/** Files that are made from the code and checked in; `npm run check` fails where one differs. */
import { readFile, stat } from 'node:fs/promises'
import type { Endpoint } from '../../shared/http/endpoint.ts'
import { openApi } from './openapi.ts'
import { missingFromFlow, postmanCollection, postmanEnvironment, SAMPLE_PHOTO } from './postman.ts'
import { problemTable } from './problem-table.ts'
import { environmentExample, settingsTable } from './settings-texts.ts'

const asText = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

/** A page with the text between its two marks made anew. */
async function pageWith(page: string, mark: string, text: string): Promise<string> {
  const written = await readFile(page, 'utf8')
  const [start, end] = [`<!-- ${mark} -->\n`, `<!-- /${mark} -->`]
  const from = written.indexOf(start)
  const to = written.indexOf(end)
  if (from < 0 || to < from) throw new RangeError(`${page} has no place for ${mark}`)
  return `${written.slice(0, from)}${start}${text}\n${written.slice(to)}`
}

async function versionOfPackage(): Promise<string> {
  const parsed: unknown = JSON.parse(await readFile('package.json', 'utf8'))
  const named = typeof parsed === 'object' && parsed !== null && 'version' in parsed
  return named ? String(parsed.version) : '0.0.0'
}

/** Files of the console page are not for API clients. */
function isForClients(key: string): boolean {
  return !/^GET \/(console\/|favicon|robots)/.test(key)
}

function forClients(endpoint: Endpoint): Endpoint {
  const routes = Object.entries(endpoint.routes).filter(([key]) => isForClients(key))
  return { name: endpoint.name, routes: Object.fromEntries(routes) }
}

/** Path from the root of the repository to the text that must stand there. */
export async function apiTexts(
  endpoints: readonly Endpoint[],
): Promise<ReadonlyMap<string, string>> {
  const published = endpoints.filter(({ name }) => name !== 'sweep').map(forClients)
  const missing = missingFromFlow(published)
  if (missing.length > 0) throw new RangeError(`no Postman request for ${missing.join(', ')}`)
  return new Map([
    ['shared/page/openapi.json', asText(openApi(published, await versionOfPackage()))],
    ['docs/wowmedia.postman_collection.json', asText(postmanCollection(published))],
    [
      'docs/wowmedia.postman_environment.json',
      asText(postmanEnvironment((await stat(SAMPLE_PHOTO)).size)),
    ],
    ['README.md', await pageWith('README.md', 'settings', settingsTable())],
    ['docs/api.md', await pageWith('docs/api.md', 'problems', problemTable())],
    ['.env.example', environmentExample()],
  ])
}
