import { createBucket, deleteBucket, getBucket, listBuckets, updateBucket } from './buckets.ts'
import { type Call, decodeSegment } from './call.ts'
import { composeObject, copyObject, moveObject } from './copy.ts'
import { addCors, answerPreflight } from './cors.ts'
import { StorageError } from './errors.ts'
import { refuseWebPages } from './guard.ts'
import { insertObject } from './insert.ts'
import { listObjects } from './list.ts'
import { isReserved } from './names.ts'
import { deleteObject, getObject, updateObject } from './objects.ts'
import { cancelSession, putSession } from './resumable.ts'
import { signedRequest } from './signed.ts'

/** `:` stands for one segment; the handler gets those segments, decoded. */
type Route = [pattern: string, (call: Call, ...parts: string[]) => Promise<void> | void]

const isMedia = (call: Call) => call.query.get('alt') === 'media'

const JSON_ROUTES: Route[] = [
  ['GET b', listBuckets],
  ['POST b', createBucket],
  ['GET b :', (call, bucket = '') => getBucket(call, bucket)],
  ['PATCH b :', (call, bucket = '') => updateBucket(call, bucket)],
  ['PUT b :', (call, bucket = '') => updateBucket(call, bucket)],
  ['DELETE b :', (call, bucket = '') => deleteBucket(call, bucket)],
  ['GET b : o', (call, bucket = '') => listObjects(call, bucket)],
  [
    'GET b : o :',
    (call, bucket = '', name = '') => getObject(call, { bucket, name }, isMedia(call)),
  ],
  ['PATCH b : o :', (call, bucket = '', name = '') => updateObject(call, { bucket, name })],
  ['PUT b : o :', (call, bucket = '', name = '') => updateObject(call, { bucket, name })],
  ['DELETE b : o :', (call, bucket = '', name = '') => deleteObject(call, { bucket, name })],
  ['POST b : o : compose', (call, bucket = '', name = '') => composeObject(call, { bucket, name })],
  ['POST b : o : rewriteTo b : o :', (call, ...parts) => copy(call, parts, true)],
  ['POST b : o : copyTo b : o :', (call, ...parts) => copy(call, parts, false)],
  [
    'POST b : o : moveTo o :',
    (call, bucket = '', name = '', to = '') => moveObject(call, { bucket, name }, to),
  ],
  ['POST upload b : o', (call, bucket = '') => insertObject(call, bucket)],
  ['PUT upload b : o', (call, bucket = '') => insertObject(call, bucket)],
  [
    'GET download b : o :',
    (call, bucket = '', name = '') => getObject(call, { bucket, name }, true),
  ],
]

function copy(call: Call, parts: string[], isRewrite: boolean): Promise<void> {
  const [bucket = '', name = '', toBucket = '', toName = ''] = parts
  return copyObject(call, { bucket, name }, { bucket: toBucket, name: toName }, isRewrite)
}

/** The three spellings of the JSON side; `STORAGE_EMULATOR_HOST` leaves `/storage/v1` away. */
const JSON_PREFIX =
  /^\/(?:(upload|download)(?:\/storage\/v1)?|storage\/v1)(?=\/b(?:\/|$))|^(?=\/b(?:\/|$))/

/** The JSON path without `/storage/v1`, as segments; undefined on the XML side. */
function jsonSegments(path: string): string[] | undefined {
  const found = JSON_PREFIX.exec(path)
  if (!found) return undefined
  const rest = path.slice(found[0].length + 1).split('/')
  return found[1] === undefined ? rest : [found[1], ...rest]
}

/** True where errors are answered as JSON. */
export const isJsonSide = (call: Call) =>
  jsonSegments(call.path) !== undefined || call.path.startsWith('/storage/')

function matchRoute(method: string, segments: string[], pattern: string): string[] | undefined {
  const [wanted, ...parts] = pattern.split(' ')
  const isMethod = wanted === method || (wanted === 'GET' && method === 'HEAD')
  if (!isMethod || parts.length !== segments.length) return undefined
  const fits = parts.every((part, at) => part === ':' || part === segments[at])
  return fits ? segments.filter((_segment, at) => parts[at] === ':') : undefined
}

/** Finds the handler and runs it. */
export async function route(call: Call): Promise<void> {
  const session = call.query.get('upload_id')
  const segments = jsonSegments(call.path)
  refuseWebPages(call, session === null && segments !== undefined)
  if (session !== null) return sessionRequest(call, session)
  if (segments === undefined) return xmlRequest(call)
  for (const [pattern, handle] of JSON_ROUTES) {
    const parts = matchRoute(call.method, segments, pattern)
    if (parts) return handle(call, ...parts.map(decodeSegment))
  }
  throw new StorageError('noRoute', 'This server has no such call.')
}

function sessionRequest(call: Call, id: string): Promise<void> | void {
  const session = call.cloud.sessions.find(id)
  if (call.method === 'OPTIONS') {
    return answerPreflight(call, session?.bucket ?? '', session?.plan.origin)
  }
  addCors(call, session?.bucket ?? '', session?.plan.origin)
  if (call.method === 'PUT' || call.method === 'POST') return putSession(call, id)
  if (call.method === 'DELETE') return cancelSession(call, id)
  throw new StorageError('method', `${call.method} is not allowed on an upload session.`)
}

function xmlRequest(call: Call): Promise<void> | void {
  const [, bucket = '', ...rest] = call.path.split('/').map(decodeSegment)
  const name = rest.join('/')
  if (call.method === 'OPTIONS') return answerPreflight(call, bucket)
  if (name === '' || isReserved(bucket))
    throw new StorageError('noRoute', 'This server has no such call.')
  return signedRequest(call, { bucket, name })
}
