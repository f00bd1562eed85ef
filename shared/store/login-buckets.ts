/** How the counters of logins are stored: `{buckets: {NAME: {…}}, networks: {HASH: last success}, purge_at}`. */
import { Timestamp } from '@google-cloud/firestore'
import { type Bucket, EMPTY_BUCKET, type KnownNetworks } from '../domain/login-throttle.ts'
import { decodeHits, encodeHits, type Hit } from '../domain/sliding-window.ts'
import type { DocumentSnapshot } from './firestore.ts'

type Fields = { readonly [name: string]: unknown }

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wholeNumber(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : 0
}

function hitsOf(value: unknown): readonly Hit[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : []
  return list.flatMap((hit) => (hit instanceof Uint8Array ? decodeHits(hit) : []))
}

/** A bucket may be there in parts: a report that comes after a success has only its own list. */
function bucketOf(value: unknown): Bucket {
  if (!isFields(value)) return EMPTY_BUCKET
  const { failures, last_failure_at: last, hits, holds, reported } = value
  return {
    failures: wholeNumber(failures),
    lastFailureMs: last instanceof Timestamp ? last.toMillis() : 0,
    hits: hits instanceof Uint8Array ? hits : EMPTY_BUCKET.hits,
    holds: hitsOf(holds),
    reported: hitsOf(reported),
  }
}

/** All buckets of a counter, by name; none where the document is absent. */
export function bucketsOf(document: DocumentSnapshot): ReadonlyMap<string, Bucket> {
  const buckets: unknown = document.get('buckets')
  const entries = isFields(buckets) ? Object.entries(buckets) : []
  return new Map(entries.map(([name, bucket]) => [name, bucketOf(bucket)]))
}

export function networksOf(document: DocumentSnapshot): KnownNetworks {
  const networks: unknown = document.get('networks')
  const entries = isFields(networks) ? Object.entries(networks) : []
  return new Map(
    entries.flatMap(([network, seen]) => {
      return seen instanceof Timestamp ? [[network, seen.toDate()] as const] : []
    }),
  )
}

function isEmpty(bucket: Bucket): boolean {
  return bucket.failures === 0 && bucket.hits.length === 0 && bucket.holds.length === 0
}

/** The stored form of settled buckets; those that hold nothing are left out. */
export function bucketFields(buckets: ReadonlyMap<string, Bucket>): Fields {
  const kept = [...buckets].filter(([, bucket]) => !isEmpty(bucket))
  return Object.fromEntries(
    kept.map(([name, bucket]) => [
      name,
      {
        failures: bucket.failures,
        last_failure_at: Timestamp.fromMillis(bucket.lastFailureMs),
        hits: bucket.hits,
        holds: bucket.holds.map((hit) => encodeHits([hit])),
      },
    ]),
  )
}
