import { randomBytes } from 'node:crypto'
import { rm, stat, truncate } from 'node:fs/promises'
import { type Call, header, sendEmpty, sendJson } from './call.ts'
import { type ContentRange, MAX_OBJECT_BYTES, parseContentRange } from './content-range.ts'
import { isMissing, StorageError } from './errors.ts'
import { checkHashes, hashesOfHeaders } from './expected-hashes.ts'
import { FileSink } from './file-sink.ts'
import type { Digest } from './hashes.ts'
import { parseJsonObject } from './json.ts'
import { checkLength } from './length-range.ts'
import { parseInteger, requireMet } from './preconditions.ts'
import { pump } from './pump.ts'
import { finishedHeaders, objectResource } from './resource.ts'
import type { Session, SessionPlan } from './session-rows.ts'

/** The size announced at the start of a session, bytes; 400 where it is no whole number. */
export function declaredTotal(call: Call): number | undefined {
  const source = header(call, 'x-upload-content-length')
  return source === undefined ? undefined : parseInteger('X-Upload-Content-Length', source)
}

/**
 * Opens a session and gives its id. The conditions must hold now (412) and again at the end;
 * `total` is the size the object must have, in bytes, where the client announced it.
 */
export function startSession(
  call: Call,
  target: { bucket: string; name: string; total: number | undefined },
  plan: SessionPlan,
): string {
  const { bucket, name, total } = target
  if (total !== undefined && (total < 0 || total > MAX_OBJECT_BYTES)) {
    throw new StorageError('invalid', `No object can have ${total} bytes.`)
  }
  requireMet(call.cloud.objects.rows.find(bucket, name), plan.conditions)
  const id = randomBytes(32).toString('hex')
  const started = Date.now() * 1000
  call.cloud.sessions.add({ id, bucket, name, started, total, plan, result: undefined })
  return id
}

/** The session of an `upload_id`; 404 where it is unknown, cancelled or over a week old. */
function requireSession(call: Call, id: string): Session {
  const session = call.cloud.sessions.find(id)
  if (!session) throw new StorageError('noUpload', 'No such upload session, or it has ended.')
  return session
}

/** `PUT` (or `POST`) on a session's address: a part, the rest, or the question how far it is. */
export async function putSession(call: Call, id: string): Promise<void> {
  const range = parseContentRange(header(call, 'content-range'))
  const session = requireSession(call, id)
  if (session.result !== undefined) return sendFinished(call, session, session.result)
  if (range.query && call.cloud.live.isRunning(id)) {
    return sendProgress(call, id, await storedBytes(call, id))
  }
  await call.cloud.live.alone(id, call.req, () => proceed(call, id, range))
}

/** `DELETE` on a session's address: what arrived is gone at once; answered with 499. */
export async function cancelSession(call: Call, id: string): Promise<void> {
  requireSession(call, id)
  await call.cloud.live.alone(id, call.req, () => dropSession(call, id))
  throw new StorageError('cancelled', 'The upload session was cancelled.')
}

async function dropSession(call: Call, id: string): Promise<void> {
  call.cloud.sessions.remove(id)
  await rm(call.cloud.objects.blobs.uploadPath(id), { force: true })
}

async function storedBytes(call: Call, id: string): Promise<number> {
  try {
    return (await stat(call.cloud.objects.blobs.uploadPath(id))).size
  } catch (error) {
    if (isMissing(error)) return 0
    throw error
  }
}

async function proceed(call: Call, id: string, range: ContentRange): Promise<void> {
  const session = requireSession(call, id)
  if (session.result !== undefined) return sendFinished(call, session, session.result)
  const stored = await storedBytes(call, id)
  const total = agreeOnTotal(call, session, range, stored)
  if (!range.query && range.first > stored) {
    throw new StorageError('gap', `Bytes from ${stored} on are missing; ask for the status.`)
  }
  const path = call.cloud.objects.blobs.uploadPath(id)
  const sink = new FileSink(path, call.cloud.hasher, stored)
  try {
    if (!range.query && !(await append(call, { session, range, total, stored }, sink))) return
    const isWhole = total === undefined ? isOpenEnded(range) : sink.size === total
    if (!isWhole) {
      // What is told to be stored must be in the file: the next question looks there.
      await sink.close()
      return sendProgress(call, id, sink.size)
    }
    await commitSession(call, session, await sink.finish())
  } finally {
    await sink.close()
  }
}

/** Neither asks nor names an end: the end of the body is the end of the object. */
const isOpenEnded = (range: ContentRange) => !range.query && range.end === undefined

/** The size announced at the start, by an earlier part or by this one; 400 where they differ. */
function agreeOnTotal(
  call: Call,
  session: Session,
  range: ContentRange,
  stored: number,
): number | undefined {
  const { total } = range
  if (total === undefined) return session.total
  if (session.total !== undefined && session.total !== total) {
    throw new StorageError('invalid', `The upload was started with ${session.total} bytes.`)
  }
  if (total < stored) throw new StorageError('invalid', `${stored} bytes are stored already.`)
  if (session.total === undefined) call.cloud.sessions.setTotal(session.id, total)
  return total
}

type Part = { session: Session; range: ContentRange; total: number | undefined; stored: number }

/** Receives the part behind what is stored; false where the connection broke. */
async function append(call: Call, part: Part, sink: FileSink): Promise<boolean> {
  const { session, range, total, stored } = part
  const most = Math.min(total ?? MAX_OBJECT_BYTES, range.end ?? MAX_OBJECT_BYTES)
  let skip = stored - range.first
  const take = (chunk: Buffer) => {
    const fresh = chunk.subarray(skip)
    skip = Math.max(0, skip - chunk.length)
    const reach = sink.size + fresh.length
    if (fresh.length > 0 && reach > most) {
      throw new StorageError('invalid', `More bytes were sent than the ${most} announced.`)
    }
    if (session.plan.lengthRange) checkLength(reach, [0, session.plan.lengthRange[1]])
    sink.write(fresh)
  }
  try {
    const outcome = await pump(call.req, sink, take, call.cloud.pace)
    if (outcome === 'ended' && skip > 0 && isOpenEnded(range)) {
      throw new StorageError('invalid', `${stored} bytes are stored already.`)
    }
    return outcome === 'ended'
  } catch (error) {
    // What a slow sender brought is right as far as it goes.
    const isSlow = error instanceof StorageError && error.refusal.status === 408
    if (!isSlow) await takeBack(call, session.id, stored, sink)
    throw error
  }
}

/** After a refused part the session is where it was before. */
async function takeBack(call: Call, id: string, stored: number, sink: FileSink): Promise<void> {
  const path = call.cloud.objects.blobs.uploadPath(id)
  await sink.close().catch(() => undefined)
  await truncate(path, stored)
  call.cloud.hasher.restart(path)
}

/** Wrong bytes can never become right, so a wrong checksum ends the session. */
async function checkBytes(call: Call, { id, plan }: Session, digest: Digest): Promise<void> {
  try {
    checkHashes(digest, { ...plan.expected, ...hashesOfHeaders(call) })
  } catch (error) {
    await dropSession(call, id)
    throw error
  }
}

async function commitSession(call: Call, session: Session, digest: Digest): Promise<void> {
  const { id, bucket, name, plan } = session
  if (plan.lengthRange) checkLength(digest.size, plan.lengthRange)
  await checkBytes(call, session, digest)
  const upload = call.cloud.objects.blobs.uploadPath(id)
  const { settings, conditions } = plan
  let result = ''
  call.cloud.objects.commit(upload, { bucket, name, settings, conditions, digest }, (object) => {
    result = JSON.stringify(objectResource(object, call.base))
    call.cloud.sessions.finish(id, result)
  })
  sendFinished(call, session, result)
}

function sendFinished(call: Call, session: Session, result: string): void {
  const resource = parseJsonObject(result, 'a stored row')
  if (session.plan.side === 'json') sendJson(call, 200, resource)
  else sendEmpty(call, 200, finishedHeaders(resource))
}

/** 308 with what is stored; never with `Location`, so no client takes it for a redirect. */
function sendProgress(call: Call, id: string, stored: number): void {
  const range = stored === 0 ? {} : { Range: `bytes=0-${stored - 1}` }
  sendEmpty(call, 308, { ...range, 'X-GUploader-UploadID': id })
}
