import type { Bucket } from './bucket-rows.ts'
import { type Call, readJson, sendEmpty, sendJson } from './call.ts'
import { StorageError } from './errors.ts'
import { isJsonObject, type JsonObject, optionalText } from './json.ts'
import { checkBucketName } from './names.ts'
import { noBucket } from './object-store.ts'
import { readPreconditions, requireMet } from './preconditions.ts'
import { bucketResource } from './resource.ts'

/** Set by the server alone. */
const READ_ONLY = new Set([
  ...['kind', 'id', 'name', 'selfLink', 'projectNumber', 'metageneration', 'etag'],
  ...['timeCreated', 'updated', 'acl', 'defaultObjectAcl'],
])

/** Each would change what happens to objects; storing it silently would promise that it does. */
function refuseUnimplemented(settings: JsonObject): void {
  const versioning = settings['versioning']
  const isVersioned = isJsonObject(versioning) && versioning['enabled'] === true
  const asked = ['retentionPolicy', 'defaultEventBasedHold', 'billing'].find((field) =>
    Boolean(settings[field]),
  )
  const unimplemented = isVersioned ? 'versioning' : asked
  if (unimplemented) throw new StorageError('unimplemented', `${unimplemented} is not here.`)
}

function checkCors(settings: JsonObject): void {
  const cors = settings['cors'] ?? []
  if (!Array.isArray(cors) || !cors.every(isJsonObject)) {
    throw new StorageError('invalid', 'cors must be a list of objects.')
  }
}

/** Merges at the top level, as PATCH does: null removes, objects below are merged, lists replaced. */
function merge(before: JsonObject, patch: JsonObject): JsonObject {
  const after = new Map(Object.entries(before))
  for (const [field, value] of Object.entries(patch)) {
    const old = after.get(field)
    if (value === null) after.delete(field)
    else if (isJsonObject(value)) after.set(field, merge(isJsonObject(old) ? old : {}, value))
    else after.set(field, value)
  }
  return Object.fromEntries(after)
}

function applyBucketSettings(before: JsonObject, resource: JsonObject): JsonObject {
  const writable = Object.entries(resource).filter(([field]) => !READ_ONLY.has(field))
  const settings = merge(before, Object.fromEntries(writable))
  refuseUnimplemented(settings)
  checkCors(settings)
  return settings
}

function requireFound(call: Call, name: string): Bucket {
  const bucket = call.cloud.buckets.find(name)
  if (!bucket) throw noBucket(name)
  const { metageneration } = bucket
  requireMet({ generation: 0, metageneration }, readPreconditions(call.query))
  return bucket
}

const nowMicros = () => Date.now() * 1000

export async function createBucket(call: Call): Promise<void> {
  const resource = await readJson(call)
  const name = optionalText(resource, 'name') ?? ''
  checkBucketName(name)
  if (call.cloud.buckets.find(name)) {
    throw new StorageError('conflict', `You already own this bucket: ${name}`)
  }
  const created = nowMicros()
  const settings = applyBucketSettings({}, resource)
  const bucket = { name, metageneration: 1, created, updated: created, settings }
  call.cloud.buckets.put(bucket)
  sendJson(call, 200, bucketResource(bucket, call.base))
}

export function listBuckets(call: Call): void {
  const prefix = call.query.get('prefix') ?? ''
  const found = call.cloud.buckets.all().filter((each) => each.name.startsWith(prefix))
  const items = found.map((each) => bucketResource(each, call.base))
  sendJson(call, 200, { kind: 'storage#buckets', ...(items.length === 0 ? {} : { items }) })
}

export function getBucket(call: Call, name: string): void {
  sendJson(call, 200, bucketResource(requireFound(call, name), call.base))
}

/** `PATCH` merges, `PUT` replaces. */
export async function updateBucket(call: Call, name: string): Promise<void> {
  const resource = await readJson(call)
  const before = requireFound(call, name)
  const settings = applyBucketSettings(call.method === 'PUT' ? {} : before.settings, resource)
  const metageneration = before.metageneration + 1
  const bucket = { ...before, settings, metageneration, updated: nowMicros() }
  call.cloud.buckets.put(bucket)
  sendJson(call, 200, bucketResource(bucket, call.base))
}

export function deleteBucket(call: Call, name: string): void {
  requireFound(call, name)
  if (call.cloud.objects.rows.hasAny(name)) {
    throw new StorageError('conflict', 'The bucket you tried to delete is not empty.')
  }
  call.cloud.buckets.remove(name)
  sendEmpty(call, 204)
}
