/** The bucket: objects with their generations, upload sessions, signed addresses (UP-11, DL-01). */
import { PassThrough, type Readable } from 'node:stream'
import { type File, Storage } from '@google-cloud/storage'
import type { PhotoContentType } from '../domain/photo-type.ts'
import { ProblemError } from '../domain/problem.ts'
import type { BucketObject } from './upload-session.ts'

/** SDK defaults are 60 s a call and 600 s in all (DATA-04). */
const CALL_MS = 5_000
const TOTAL_MS = 10_000
const CACHE_CONTROL = 'private, no-store'

export type NewObject = {
  readonly name: string
  readonly contentType: PhotoContentType
  /** Kept as metadata of the object: which upload made it. */
  readonly uploadId: string
  /** Undefined where it is not known before the end. */
  readonly bytes?: number | undefined
  /** The one origin whose pages may use the session's address (CORS); absent where no browser does. */
  readonly origin?: string | undefined
}

export type ListedObject = {
  readonly name: string
  readonly generation: string
  readonly createdAt: Date
}

export type PhotoFiles = {
  /** Starts a resumable session for an object that must not exist yet; its address. */
  startSession(object: NewObject): Promise<string>
  /** The object, or undefined where there is none. */
  find(name: string): Promise<BucketObject | undefined>
  /** The bytes of one generation, compared with the bucket's checksum at their end. */
  read(name: string, generation: string): Readable
  /** Removes an object, of that generation if one is given; one that is gone already is fine. */
  remove(name: string, generation?: string): Promise<void>
  /** At most `limit` names from `from` on, in byte order. */
  list(from: string, limit: number): Promise<readonly ListedObject[]>
  /** An address that GETs the object for so long, with these headers in its answer. */
  signedAddress(object: SignedObject): Promise<string>
}

export type SignedObject = {
  readonly name: string
  readonly contentType: PhotoContentType
  readonly contentDisposition: string
  readonly now: Date
  readonly expiresAt: Date
}

function unavailable(cause: unknown): ProblemError {
  return new ProblemError('unavailable', { retryAfterSeconds: 2, cause })
}

/** Within the deadline, and every failure of the bucket as `unavailable`. */
async function asked<T>(work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('the bucket is too slow')), TOTAL_MS)
  try {
    return await Promise.race([work, late])
  } catch (error) {
    throw unavailable(error)
  } finally {
    clearTimeout(timer)
  }
}

type RequestOptions = ReturnType<Storage['interceptors'][number]['request']>

/** The SDK hands its interceptors options that are still to be filled in. */
function isRequestOptions(options: object): options is RequestOptions {
  return !Array.isArray(options)
}

function withDeadline(options: object): RequestOptions {
  const bounded = { ...options, timeout: CALL_MS }
  if (!isRequestOptions(bounded)) throw new TypeError('the SDK asks with a list of options')
  return bounded
}

function openStorage(): Storage {
  const storage = new Storage({
    timeout: CALL_MS,
    retryOptions: { maxRetries: 3, totalTimeout: TOTAL_MS / 1000, maxRetryDelay: 2 },
  })
  // The SDK gives its resumable calls no deadline of its own.
  storage.interceptors.push({ request: withDeadline })
  return storage
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}

async function startSession(file: File, object: NewObject): Promise<string> {
  const [address] = await file.createResumableUpload({
    metadata: {
      contentType: object.contentType,
      cacheControl: CACHE_CONTROL,
      metadata: { uploadId: object.uploadId },
      ...(object.bytes === undefined ? {} : { contentLength: object.bytes }),
    },
    preconditionOpts: { ifGenerationMatch: 0 },
    ...(object.origin === undefined ? {} : { origin: object.origin }),
  })
  return address
}

async function find(file: File): Promise<BucketObject | undefined> {
  try {
    const [metadata] = await file.getMetadata()
    const { generation, size, crc32c } = metadata
    return { generation: String(generation), bytes: Number(size), crc32c: crc32c ?? '' }
  } catch (error) {
    if (codeOf(error) === 404) return undefined
    throw error
  }
}

function read(file: File): Readable {
  const source = file.createReadStream({ validation: 'md5', decompress: false })
  const bytes = new PassThrough()
  source.on('error', (error) => bytes.destroy(unavailable(error)))
  bytes.on('close', () => source.destroy())
  return source.pipe(bytes)
}

function listed(file: File): ListedObject {
  const { generation, timeCreated } = file.metadata
  return {
    name: file.name,
    generation: String(generation),
    createdAt: new Date(timeCreated ?? Number.NaN),
  }
}

/** Opens the bucket; connects on the first call. */
export function openPhotoFiles(settings: { readonly PHOTO_BUCKET: string }): PhotoFiles {
  let opened: Storage | undefined
  const bucket = () => {
    opened ??= openStorage()
    return opened.bucket(settings.PHOTO_BUCKET)
  }
  return {
    startSession: (object) => asked(startSession(bucket().file(object.name), object)),
    find: (name) => asked(find(bucket().file(name))),
    read: (name, generation) => read(bucket().file(name, { generation })),
    remove: async (name, generation) => {
      const precondition = generation === undefined ? {} : { ifGenerationMatch: generation }
      await asked(
        bucket()
          .file(name)
          .delete({ ignoreNotFound: true, ...precondition }),
      )
    },
    list: async (from, limit) => {
      const query = { startOffset: from, maxResults: limit, autoPaginate: false }
      const [files] = await asked(bucket().getFiles(query))
      return files.map(listed)
    },
    signedAddress: async (object) => {
      const [address] = await asked(
        bucket().file(object.name).getSignedUrl({
          version: 'v4',
          action: 'read',
          accessibleAt: object.now,
          expires: object.expiresAt,
          responseType: object.contentType,
          responseDisposition: object.contentDisposition,
        }),
      )
      return address
    },
  }
}
