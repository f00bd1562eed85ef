import { type Call, readJson, sendEmpty, sendJson } from './call.ts'
import { StorageError } from './errors.ts'
import { requireBucket } from './insert.ts'
import { contentHeaders, sendContent } from './media.ts'
import type { StoredObject } from './object-rows.ts'
import { judge, parseInteger, readPreconditions, requireMet } from './preconditions.ts'
import { objectEtag, objectResource } from './resource.ts'
import { applySettings } from './settings.ts'

export type ObjectPath = { bucket: string; name: string }

/** The object, in the generation the address names if it names one; else 404. */
export function requireObject(
  call: Call,
  path: ObjectPath,
  parameter = 'generation',
): StoredObject {
  requireBucket(call, path.bucket)
  const object = call.cloud.objects.rows.find(path.bucket, path.name)
  const wanted = call.query.get(parameter)
  if (!object || (wanted !== null && parseInteger(parameter, wanted) !== object.generation)) {
    throw new StorageError('noObject', `No such object: ${path.bucket}/${path.name}`)
  }
  return object
}

/** `GET …/o/{object}`: the resource, or with `alt=media` the content. */
export async function getObject(call: Call, path: ObjectPath, isMedia: boolean): Promise<void> {
  const object = requireObject(call, path)
  const conditions = readPreconditions(call.query)
  if (judge(object, conditions) === 'unchanged') return sendEmpty(call, 304)
  requireMet(object, conditions)
  if (!isMedia) return sendJson(call, 200, objectResource(object, call.base))
  await sendContent(call, object, contentHeaders(object, objectEtag(object)))
}

/** `PATCH` merges the writable fields, `PUT` replaces them. */
export async function updateObject(call: Call, path: ObjectPath): Promise<void> {
  const resource = await readJson(call)
  const object = requireObject(call, path)
  requireMet(object, readPreconditions(call.query))
  const before = call.method === 'PUT' ? {} : object.settings
  const after = call.cloud.objects.update(object, applySettings(before, resource))
  sendJson(call, 200, objectResource(after, call.base))
}

/** `DELETE`: 204, and 404 the second time. */
export function deleteObject(call: Call, path: ObjectPath): void {
  const object = requireObject(call, path)
  requireMet(object, readPreconditions(call.query))
  call.cloud.objects.remove(object)
  sendEmpty(call, 204)
}
