import { type Call, header, readJson, sendEmpty, sendJson } from './call.ts'
import { StorageError } from './errors.ts'
import { hashesOfHeaders, hashesOfResource } from './expected-hashes.ts'
import { type JsonObject, optionalText } from './json.ts'
import { MultipartReader, readBoundary } from './multipart.ts'
import { checkObjectName } from './names.ts'
import { type NewObject, noBucket } from './object-store.ts'
import { type Preconditions, readPreconditions } from './preconditions.ts'
import { commitUpload, receiveUpload, type Upload } from './receive.ts'
import { objectResource } from './resource.ts'
import { declaredTotal, startSession } from './resumable.ts'
import { applySettings, DEFAULT_CONTENT_TYPE } from './settings.ts'

/** 404 where the bucket does not exist. */
export function requireBucket(call: Call, bucket: string): void {
  if (!call.cloud.buckets.find(bucket)) throw noBucket(bucket)
}

/** `POST /upload/storage/v1/b/{bucket}/o`, the three kinds of `uploadType`. */
export async function insertObject(call: Call, bucket: string): Promise<void> {
  requireBucket(call, bucket)
  const kind = call.query.get('uploadType')
  const conditions = readPreconditions(call.query)
  if (kind === 'media') return insertMedia(call, bucket, conditions)
  if (kind === 'multipart') return insertMultipart(call, bucket, conditions)
  if (kind === 'resumable') return insertResumable(call, bucket)
  throw new StorageError('invalid', 'uploadType must be media, multipart or resumable.')
}

/** The name in the address wins over the one in the resource. */
function objectName(call: Call, resource: JsonObject): string {
  const name = call.query.get('name') ?? optionalText(resource, 'name') ?? ''
  checkObjectName(name)
  return name
}

function settingsOf(call: Call, resource: JsonObject, fallback: string | undefined) {
  const contentEncoding = call.query.get('contentEncoding')
  const inAddress = contentEncoding === null ? {} : { contentEncoding }
  const inHeader = { contentType: fallback ?? DEFAULT_CONTENT_TYPE }
  return applySettings(applySettings({}, inHeader), { ...dropNull(resource), ...inAddress })
}

const dropNull = (resource: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(resource).filter(([, value]) => value !== null))

async function insertMedia(call: Call, bucket: string, conditions: Preconditions): Promise<void> {
  const name = objectName(call, {})
  const settings = settingsOf(call, {}, header(call, 'content-type'))
  const upload = await receiveUpload(call, (take) => ({ write: take, end: () => undefined }))
  await finishInsert(call, upload, { bucket, name, settings, conditions }, {})
}

async function insertMultipart(
  call: Call,
  bucket: string,
  conditions: Preconditions,
): Promise<void> {
  const boundary = readBoundary(header(call, 'content-type'))
  let resource: JsonObject = {}
  let target = { bucket, name: '', settings: {}, conditions }
  const upload = await receiveUpload(call, (take) => {
    return new MultipartReader(boundary, {
      onStart(json, contentType) {
        resource = json
        const name = objectName(call, json)
        target = { bucket, name, settings: settingsOf(call, json, contentType), conditions }
      },
      onBytes: take,
    })
  })
  await finishInsert(call, upload, target, resource)
}

async function finishInsert(
  call: Call,
  upload: Upload,
  target: Omit<NewObject, 'digest'>,
  resource: JsonObject,
): Promise<void> {
  const expected = { ...hashesOfResource(resource), ...hashesOfHeaders(call) }
  const object = await commitUpload(call, upload, target, expected)
  sendJson(call, 200, objectResource(object, call.base))
}

async function insertResumable(call: Call, bucket: string): Promise<void> {
  const resource = await readJson(call)
  const name = objectName(call, resource)
  const origin = header(call, 'origin')
  const id = startSession(
    call,
    { bucket, name, total: declaredTotal(call) },
    {
      side: 'json',
      settings: settingsOf(call, resource, header(call, 'x-upload-content-type')),
      conditions: readPreconditions(call.query),
      expected: { ...hashesOfResource(resource), ...hashesOfHeaders(call) },
      ...(origin === undefined ? {} : { origin }),
    },
  )
  const query = `uploadType=resumable&name=${encodeURIComponent(name)}&upload_id=${id}`
  sendEmpty(call, 200, {
    Location: `${call.base}/upload/storage/v1/b/${bucket}/o?${query}`,
    'X-GUploader-UploadID': id,
  })
}
