import type { Bucket } from './bucket-rows.ts'
import type { StoredObject } from './object-rows.ts'

/** Microseconds since 1970 as RFC 3339 with milliseconds. */
const timestamp = (micros: number) => new Date(Math.floor(micros / 1000)).toISOString()

const etag = (...numbers: number[]) => Buffer.from(numbers.join('/')).toString('base64')

/** The entity tag of the JSON side: changes with content and with settings. */
export const objectEtag = (o: StoredObject) => etag(o.generation, o.metageneration)

/** The object resource of the JSON API; int64 values are strings. `base` is `http://host:port`. */
export function objectResource(o: StoredObject, base: string): Record<string, unknown> {
  const address = `b/${o.bucket}/o/${encodeURIComponent(o.name)}`
  const composed = o.components > 0
  return {
    kind: 'storage#object',
    id: `${o.bucket}/${o.name}/${o.generation}`,
    selfLink: `${base}/storage/v1/${address}`,
    mediaLink: `${base}/download/storage/v1/${address}?generation=${o.generation}&alt=media`,
    name: o.name,
    bucket: o.bucket,
    generation: String(o.generation),
    metageneration: String(o.metageneration),
    storageClass: 'STANDARD',
    size: String(o.size),
    ...(composed ? { componentCount: o.components } : { md5Hash: o.md5 }),
    crc32c: o.crc32c,
    etag: objectEtag(o),
    timeCreated: timestamp(o.created),
    updated: timestamp(o.updated),
    timeStorageClassUpdated: timestamp(o.created),
    timeFinalized: timestamp(o.created),
    ...o.settings,
  }
}

/** The bucket resource of the JSON API. */
export function bucketResource(b: Bucket, base: string): Record<string, unknown> {
  return {
    kind: 'storage#bucket',
    id: b.name,
    name: b.name,
    selfLink: `${base}/storage/v1/b/${b.name}`,
    projectNumber: '1',
    location: 'US',
    locationType: 'multi-region',
    storageClass: 'STANDARD',
    metageneration: String(b.metageneration),
    etag: etag(b.metageneration),
    timeCreated: timestamp(b.created),
    updated: timestamp(b.updated),
    ...b.settings,
  }
}

/** The headers of a finished upload on the XML side, out of its resource. */
export const finishedHeaders = (resource: Record<string, unknown>): Record<string, string> => ({
  ETag: `"${Buffer.from(String(resource['md5Hash']), 'base64').toString('hex')}"`,
  'x-goog-generation': String(resource['generation']),
  'x-goog-metageneration': String(resource['metageneration']),
  'x-goog-hash': `crc32c=${resource['crc32c']},md5=${resource['md5Hash']}`,
  'x-goog-stored-content-length': String(resource['size']),
})
