import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { type Call, readJson, sendJson } from './call.ts'
import { StorageError } from './errors.ts'
import { FileSink } from './file-sink.ts'
import { requireBucket } from './insert.ts'
import { isJsonObject, type JsonObject, optionalText } from './json.ts'
import { checkObjectName } from './names.ts'
import type { StoredObject } from './object-rows.ts'
import { type ObjectPath, requireObject } from './objects.ts'
import { type Preconditions, parseInteger, readPreconditions, requireMet } from './preconditions.ts'
import { commitUpload, type Upload } from './receive.ts'
import { objectResource } from './resource.ts'
import { applySettings } from './settings.ts'

/** Documented limit of one compose call. */
const MAX_SOURCES = 32

/**
 * `rewriteTo` and `copyTo`: the whole copy at once, whatever the size. A body replaces the settings
 * of the source, no body keeps them.
 */
export async function copyObject(
  call: Call,
  from: ObjectPath,
  to: ObjectPath,
  isRewrite: boolean,
): Promise<void> {
  const resource = await readJson(call)
  checkObjectName(to.name)
  requireBucket(call, to.bucket)
  const source = requireObject(call, from, 'sourceGeneration')
  requireMet(source, readPreconditions(call.query, 'Source'))
  const settings =
    Object.keys(resource).length === 0 ? source.settings : applySettings({}, resource)
  const { size, md5, crc32c, components } = source
  const path = await call.cloud.objects.blobs.duplicate(source.blob)
  const upload = { path, digest: { size, md5, crc32c } }
  const conditions = readPreconditions(call.query)
  const object = await commitUpload(call, upload, { ...to, settings, conditions, components }, {})
  const copied = objectResource(object, call.base)
  if (!isRewrite) return sendJson(call, 200, copied)
  sendJson(call, 200, {
    kind: 'storage#rewriteResponse',
    totalBytesRewritten: String(size),
    objectSize: String(size),
    done: true,
    resource: copied,
  })
}

/** `moveTo`: another name in the same bucket; at no time are there both, or neither. */
export async function moveObject(call: Call, from: ObjectPath, name: string): Promise<void> {
  const { blobs, rows } = call.cloud.objects
  checkObjectName(name)
  const source = requireObject(call, from)
  requireMet(source, readPreconditions(call.query, 'Source'))
  const path = await blobs.duplicate(source.blob)
  const { bucket, settings, size, md5, crc32c, components } = source
  const instead = rows.find(bucket, from.name)
  const isSame = instead?.generation === source.generation && name !== from.name
  const conditions = readPreconditions(call.query)
  const wanted = { bucket, name, settings, conditions, components, instead: source }
  const moved = { path, digest: { size, md5, crc32c } }
  if (!isSame) throw await refuseMove(moved)
  const object = await commitUpload(call, moved, wanted, {})
  sendJson(call, 200, objectResource(object, call.base))
}

async function refuseMove({ path }: Upload): Promise<StorageError> {
  await rm(path, { force: true })
  return new StorageError('condition', 'The source has changed, or is its own destination.')
}

/** `compose`: up to 32 objects of one bucket in a row. */
export async function composeObject(call: Call, to: ObjectPath): Promise<void> {
  const request = await readJson(call)
  checkObjectName(to.name)
  requireBucket(call, to.bucket)
  if (request['deleteSourceObjects']) {
    throw new StorageError('unimplemented', 'deleteSourceObjects is not here.')
  }
  const sources = readSources(call, to.bucket, request)
  const destination = isJsonObject(request['destination']) ? request['destination'] : {}
  const settings = applySettings({}, destination)
  const conditions = readPreconditions(call.query)
  const upload = await joinBytes(call, sources)
  const components = sources.reduce((sum, each) => sum + Math.max(1, each.components), 0)
  const object = await commitUpload(call, upload, { ...to, settings, conditions, components }, {})
  sendJson(call, 200, objectResource(object, call.base))
}

function readSources(call: Call, bucket: string, request: JsonObject): StoredObject[] {
  const listed = request['sourceObjects']
  if (!Array.isArray(listed) || listed.length === 0 || listed.length > MAX_SOURCES) {
    throw new StorageError('invalid', `sourceObjects must be a list of 1 to ${MAX_SOURCES}.`)
  }
  return listed.map((each: unknown) => readSource(call, bucket, each))
}

function readSource(call: Call, bucket: string, source: unknown): StoredObject {
  if (!isJsonObject(source)) throw new StorageError('invalid', 'A source must be an object.')
  const name = optionalText(source, 'name') ?? ''
  const object = call.cloud.objects.rows.find(bucket, name)
  const generation = optionalText(source, 'generation')
  const isOther =
    generation !== undefined && parseInteger('generation', generation) !== object?.generation
  if (!object || isOther) throw new StorageError('noObject', `No such object: ${bucket}/${name}`)
  requireMet(object, sourceConditions(source))
  return object
}

function sourceConditions(source: JsonObject): Preconditions {
  const conditions = source['objectPreconditions']
  const wanted = isJsonObject(conditions)
    ? optionalText(conditions, 'ifGenerationMatch')
    : undefined
  return wanted === undefined ? {} : { generationMatch: parseInteger('ifGenerationMatch', wanted) }
}

async function joinBytes(call: Call, sources: StoredObject[]): Promise<Upload> {
  const { blobs } = call.cloud.objects
  const path = blobs.uploadPath()
  // All are open before anything is awaited: what happens to the sources then does not matter.
  const inputs = sources.map((each) => createReadStream('', { fd: blobs.open(each.blob) }))
  const sink = new FileSink(path, call.cloud.hasher)
  try {
    for (const input of inputs) {
      for await (const chunk of input) {
        sink.write(chunk)
        if (sink.full) await sink.room()
      }
    }
    // Cloud Storage keeps no MD5 of a composed object.
    return { path, digest: { ...(await sink.finish()), md5: '' } }
  } catch (error) {
    await sink.close().catch(() => undefined)
    await rm(path, { force: true })
    throw error
  } finally {
    for (const input of inputs) input.destroy()
  }
}
