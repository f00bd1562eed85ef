import { type Call, header, sendEmpty } from './call.ts'
import { isJsonObject } from './json.ts'

/** One rule of a bucket's `cors`. */
type Rule = { origin: string[]; method: string[]; responseHeader: string[]; maxAgeSeconds: number }

/** What a browser may read of an upload session's answers: 308 says in `Range` how far it is. */
const SESSION_HEADERS = 'Content-Length, Content-Type, ETag, Location, Range, X-GUploader-UploadID'

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []

function rulesOf(call: Call, bucket: string): Rule[] {
  const cors = call.cloud.buckets.find(bucket)?.settings['cors']
  const listed: unknown[] = Array.isArray(cors) ? cors : []
  return listed.filter(isJsonObject).map((rule) => ({
    origin: texts(rule['origin']),
    method: texts(rule['method']),
    responseHeader: texts(rule['responseHeader']),
    maxAgeSeconds: Number(rule['maxAgeSeconds'] ?? 3600),
  }))
}

function findRule(call: Call, bucket: string, origin: string, method: string): Rule | undefined {
  const has = (list: string[], value: string) => list.includes(value) || list.includes('*')
  return rulesOf(call, bucket).find((rule) => has(rule.origin, origin) && has(rule.method, method))
}

/**
 * Adds the CORS headers to an ordinary answer: where the bucket's `cors` names origin and method,
 * or where the session of the address was started by that origin. Others get none.
 */
export function addCors(call: Call, bucket: string, sessionOrigin?: string): void {
  const origin = header(call, 'origin')
  if (origin === undefined) return
  const exposed =
    origin === sessionOrigin
      ? SESSION_HEADERS
      : findRule(call, bucket, origin, call.method)?.responseHeader.join(', ')
  if (exposed === undefined) return
  call.res.setHeader('Access-Control-Allow-Origin', origin)
  call.res.setHeader('Access-Control-Expose-Headers', exposed)
  call.res.setHeader('Vary', 'Origin')
}

/** Answers a preflight; for an origin or method that nothing allows, with no CORS header. */
export function answerPreflight(call: Call, bucket: string, sessionOrigin?: string): void {
  const origin = header(call, 'origin')
  sendEmpty(call, 200, origin === undefined ? {} : grants(call, bucket, origin, sessionOrigin))
}

function grants(call: Call, bucket: string, origin: string, sessionOrigin: string | undefined) {
  if (origin === sessionOrigin) {
    const asked = header(call, 'access-control-request-headers') ?? ''
    return grant(origin, 'PUT, DELETE, POST', asked, 3600)
  }
  const method = header(call, 'access-control-request-method') ?? ''
  const rule = findRule(call, bucket, origin, method)
  return rule ? grant(origin, method, rule.responseHeader.join(', '), rule.maxAgeSeconds) : {}
}

const grant = (origin: string, methods: string, headers: string, seconds: number) => ({
  'Access-Control-Allow-Origin': origin,
  'Access-Control-Allow-Methods': methods,
  ...(headers === '' ? {} : { 'Access-Control-Allow-Headers': headers }),
  'Access-Control-Max-Age': String(seconds),
  Vary: 'Origin',
})
