import { type Call, header, sendEmpty } from './call.ts'
import { addCors } from './cors.ts'
import { StorageError } from './errors.ts'
import { hashesOfHeaders } from './expected-hashes.ts'
import { requireBucket } from './insert.ts'
import type { JsonObject } from './json.ts'
import { checkLength, type LengthRange, parseLengthRange } from './length-range.ts'
import { contentHeaders, sendContent } from './media.ts'
import { checkObjectName } from './names.ts'
import type { StoredObject } from './object-rows.ts'
import { type ObjectPath, requireObject } from './objects.ts'
import { type Preconditions, parseInteger, requireMet } from './preconditions.ts'
import { commitUpload, receiveUpload } from './receive.ts'
import { finishedHeaders, objectResource } from './resource.ts'
import { declaredTotal, startSession } from './resumable.ts'
import { applySettings, DEFAULT_CONTENT_TYPE, type ObjectSettings } from './settings.ts'
import { checkSignature } from './signature.ts'

const META = 'x-goog-meta-'

/** `/{bucket}/{object}` with a signed address: GET, HEAD, PUT, POST (start a session), DELETE. */
export async function signedRequest(call: Call, path: ObjectPath): Promise<void> {
  addCors(call, path.bucket)
  checkSignature(call, Date.now())
  requireBucket(call, path.bucket)
  if (call.method === 'GET' || call.method === 'HEAD') return getSigned(call, path)
  if (call.method === 'PUT') return putSigned(call, path)
  if (call.method === 'POST') return startSigned(call, path)
  if (call.method === 'DELETE') return deleteSigned(call, path)
  throw new StorageError('method', `${call.method} is not allowed here.`)
}

/** Conditions out of `x-goog-if-generation-match` and its like. */
function readConditions(call: Call): Preconditions {
  const generation = header(call, 'x-goog-if-generation-match')
  const metageneration = header(call, 'x-goog-if-metageneration-match')
  const parse = (value: string) => parseInteger('x-goog-if-…-match', value)
  return {
    ...(generation === undefined ? {} : { generationMatch: parse(generation) }),
    ...(metageneration === undefined ? {} : { metagenerationMatch: parse(metageneration) }),
  }
}

function readSettings(call: Call): ObjectSettings {
  const fields: JsonObject = {
    contentType: header(call, 'content-type') ?? DEFAULT_CONTENT_TYPE,
    cacheControl: header(call, 'cache-control'),
    contentDisposition: header(call, 'content-disposition'),
    contentEncoding: header(call, 'content-encoding'),
    contentLanguage: header(call, 'content-language'),
    customTime: header(call, 'x-goog-custom-time'),
  }
  const metadata = Object.keys(call.req.headers)
    .filter((name) => name.startsWith(META))
    .map((name) => [name.slice(META.length), header(call, name) ?? ''])
  const custom = metadata.length === 0 ? {} : { metadata: Object.fromEntries(metadata) }
  return applySettings({}, { ...fields, ...custom })
}

const readLengthRange = (call: Call): LengthRange | undefined => {
  const source = header(call, 'x-goog-content-length-range')
  return source === undefined ? undefined : parseLengthRange(source)
}

const hexEtag = (object: StoredObject) =>
  `"${Buffer.from(object.md5 || object.crc32c, 'base64').toString('hex')}"`

async function getSigned(call: Call, path: ObjectPath): Promise<void> {
  const object = requireObject(call, path)
  requireMet(object, readConditions(call))
  const headers = contentHeaders(object, hexEtag(object))
  for (const [name, value] of Object.entries(object.settings.metadata ?? {})) {
    if (/^[\w.-]+$/.test(name)) {
      headers[META + name.toLowerCase()] = Buffer.from(value, 'utf8').toString('latin1')
    }
  }
  for (const name of ['Content-Disposition', 'Content-Type']) {
    const override = call.query.get(`response-${name.toLowerCase()}`)
    if (override !== null) headers[name] = checkOverride(override)
  }
  await sendContent(call, object, headers)
}

function checkOverride(value: string): string {
  // The same rules as for stored settings: no line break may reach a response header.
  const { contentType } = applySettings({}, { contentType: value })
  return Buffer.from(contentType ?? '', 'utf8').toString('latin1')
}

async function putSigned(call: Call, { bucket, name }: ObjectPath): Promise<void> {
  checkObjectName(name)
  if (call.req.headers['x-goog-copy-source'] !== undefined) {
    throw new StorageError('unimplemented', 'x-goog-copy-source is not here.')
  }
  const lengths = readLengthRange(call)
  const declared = header(call, 'content-length')
  if (lengths && declared !== undefined) checkLength(Number(declared), lengths)
  const settings = readSettings(call)
  const conditions = readConditions(call)
  const upload = await receiveUpload(call, (take, soFar) => ({
    write(chunk) {
      if (lengths) checkLength(soFar() + chunk.length, [0, lengths[1]])
      take(chunk)
    },
    end() {
      if (lengths) checkLength(soFar(), lengths)
    },
  }))
  const wanted = { bucket, name, settings, conditions }
  const object = await commitUpload(call, upload, wanted, hashesOfHeaders(call))
  sendEmpty(call, 200, finishedHeaders(objectResource(object, call.base)))
}

function startSigned(call: Call, { bucket, name }: ObjectPath): void {
  if (header(call, 'x-goog-resumable') !== 'start') {
    throw new StorageError('unimplemented', 'POST is here only with x-goog-resumable: start.')
  }
  checkObjectName(name)
  const lengthRange = readLengthRange(call)
  const origin = header(call, 'origin')
  const total = declaredTotal(call)
  const id = startSession(
    call,
    { bucket, name, total },
    {
      side: 'xml',
      settings: readSettings(call),
      conditions: readConditions(call),
      expected: {},
      ...(origin === undefined ? {} : { origin }),
      ...(lengthRange === undefined ? {} : { lengthRange }),
    },
  )
  const address = name.split('/').map(encodeURIComponent).join('/')
  sendEmpty(call, 201, {
    Location: `${call.base}/${bucket}/${address}?upload_id=${id}`,
    'X-GUploader-UploadID': id,
  })
}

function deleteSigned(call: Call, path: ObjectPath): void {
  const object = requireObject(call, path)
  requireMet(object, readConditions(call))
  call.cloud.objects.remove(object)
  sendEmpty(call, 204)
}
