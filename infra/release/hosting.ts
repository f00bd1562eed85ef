/** `firebase.json`: Hosting in front of the functions, and the deny-all rules (deploy.md 2.1, DATA-01). Pure. */
import type { Endpoint } from '../../shared/http/endpoint.ts'
import type { FunctionSpec } from '../manifest.ts'

type Rewrite = {
  readonly source: string
  readonly run: { readonly serviceId: string; readonly region: string }
}

/** Paths as Hosting's globs: `/photos/{id}` -> `/photos/*`. */
function sourceOf(routeKey: string): string {
  return routeKey.slice(routeKey.indexOf(' ') + 1).replace(/\{[^}]+\}/g, '*')
}

/** The first rule that matches wins, so fixed text comes before `*`, and longer paths before shorter ones. */
function rank(source: string): string {
  const parts = source.split('/').length
  return `${source.includes('*') ? 1 : 0}${String(99 - parts).padStart(2, '0')}${source}`
}

/** One rule for each path, whatever its methods: Hosting looks at paths alone. */
export function rewrites(
  specs: readonly FunctionSpec[],
  endpoints: readonly Endpoint[],
  region: string,
): readonly Rewrite[] {
  const reachable = new Set(specs.filter((spec) => spec.public).map(({ name }) => name))
  const rules = endpoints
    .filter(({ name }) => reachable.has(name))
    .flatMap(({ name, routes }) =>
      [...new Set(Object.keys(routes).map(sourceOf))].map((source) => ({
        source,
        run: { serviceId: name, region },
      })),
    )
  return rules.toSorted((a, b) => (rank(a.source) < rank(b.source) ? -1 : 1))
}

/** The text of `firebase.json`. */
export function firebaseConfig(
  specs: readonly FunctionSpec[],
  endpoints: readonly Endpoint[],
  { region, database }: { readonly region: string; readonly database: string },
): string {
  const config = {
    firestore: [{ database, rules: 'infra/firestore.rules', indexes: 'firestore.indexes.json' }],
    storage: { rules: 'infra/storage.rules' },
    hosting: {
      // Empty on purpose: a file would come before a function.
      public: 'infra/hosting',
      ignore: ['**/.*'],
      rewrites: rewrites(specs, endpoints, region),
    },
  }
  return `${JSON.stringify(config, null, 2)}\n`
}

function isRouted(value: unknown): value is { readonly hosting: { readonly rewrites: Rewrite[] } } {
  if (typeof value !== 'object' || value === null || !('hosting' in value)) return false
  const { hosting } = value
  return typeof hosting === 'object' && hosting !== null && 'rewrites' in hosting
}

/** The region that a `firebase.json` routes to; undefined where it is none of ours. */
export function routedRegion(text: string): string | undefined {
  const parsed: unknown = text === '' ? undefined : JSON.parse(text)
  return isRouted(parsed) ? parsed.hosting.rewrites[0]?.run.region : undefined
}
