/** What Cloud Run says of a service: who serves, where the candidate is. */
import { TAG } from './release-commands.ts'

export type ServiceStatus = {
  readonly url: string
  /** Revision that gets most of the calls. */
  readonly serving: string | undefined
  readonly newest: string | undefined
  readonly candidate: { readonly revision: string; readonly url: string } | undefined
}

type Fields = Readonly<Record<string, unknown>>

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function member(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined
}

function textAt(value: unknown, name: string): string | undefined {
  const found = member(value, name)
  return typeof found === 'string' ? found : undefined
}

function percentOf(entry: Fields): number {
  return typeof entry['percent'] === 'number' ? entry['percent'] : 0
}

function candidateOf(traffic: readonly Fields[]): ServiceStatus['candidate'] {
  const tagged = traffic.find((entry) => entry['tag'] === TAG)
  const revision = textAt(tagged, 'revisionName')
  const url = textAt(tagged, 'url')
  return revision === undefined || url === undefined ? undefined : { revision, url }
}

/** Reads `gcloud run services describe --format=json`; throws where it is something else. */
export function parseService(json: string): ServiceStatus {
  const status = member(JSON.parse(json), 'status')
  const url = textAt(status, 'url')
  if (url === undefined) throw new TypeError('Cloud Run described a service without an address')
  const listed = member(status, 'traffic')
  const traffic = Array.isArray(listed) ? listed.filter(isRecord) : []
  const [busiest] = traffic
    .filter((entry) => percentOf(entry) > 0)
    .toSorted((a, b) => percentOf(b) - percentOf(a))
  return {
    url,
    serving: textAt(busiest, 'revisionName'),
    newest: textAt(status, 'latestCreatedRevisionName'),
    candidate: candidateOf(traffic),
  }
}
