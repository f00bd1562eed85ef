import { createHash, verify } from 'node:crypto'
import { type Call, decodeSegment, header } from './call.ts'
import { StorageError } from './errors.ts'

/**
 * V4 signed addresses (cloud.google.com/storage/docs/authentication/canonical-requests). Signed is
 *
 *   GOOG4-RSA-SHA256 \n date \n date/location/storage/goog4_request \n sha256(canonical request)
 *
 * where the canonical request is method, path, query without the signature, the signed headers,
 * their names, and `UNSIGNED-PAYLOAD` or the content's SHA-256, a line each.
 */
const ALGORITHM = 'GOOG4-RSA-SHA256'
const WEEK_SECONDS = 7 * 24 * 3600

type Signed = {
  email: string
  scope: string
  date: string
  headers: string[]
  signature: Buffer
}

/** RFC 3986: everything but unreserved characters is escaped. */
const percent = (value: string) =>
  encodeURIComponent(value).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )

const denied = (message: string) => new StorageError('denied', message)

function readParameter(query: URLSearchParams, name: string): string {
  const value = query.get(name)
  if (value === null) throw denied(`The address has no ${name}.`)
  return value
}

function readDate(source: string): number {
  const found = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(source)
  if (!found) throw new StorageError('invalid', 'X-Goog-Date is malformed.')
  const [, year, month, day, hour, minute, second] = found
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}

/** Algorithm, date and lifetime, in this order. */
function checkTime(query: URLSearchParams, nowMs: number): void {
  if (query.get('X-Goog-Algorithm') !== ALGORITHM) {
    throw denied(`Only addresses signed with ${ALGORITHM} are taken.`)
  }
  const date = readDate(readParameter(query, 'X-Goog-Date'))
  const seconds = readParameter(query, 'X-Goog-Expires')
  if (!/^\d{1,7}$/.test(seconds) || Number(seconds) > WEEK_SECONDS) {
    throw new StorageError('invalid', `X-Goog-Expires must be at most ${WEEK_SECONDS} seconds.`)
  }
  if (date > nowMs) throw denied('The address is not valid yet.')
  if (nowMs >= date + Number(seconds) * 1000) {
    throw new StorageError('expired', 'The provided token has expired.')
  }
}

function readSigned(query: URLSearchParams): Signed {
  const date = readParameter(query, 'X-Goog-Date')
  const [email, ...scope] = readParameter(query, 'X-Goog-Credential').split('/')
  const [day, , storage, request] = scope
  const isScope = scope.length === 4 && storage === 'storage' && request === 'goog4_request'
  if (!isScope || day !== date.slice(0, 8)) throw denied('X-Goog-Credential is malformed.')
  const signature = Buffer.from(readParameter(query, 'X-Goog-Signature'), 'hex')
  const headers = readParameter(query, 'X-Goog-SignedHeaders').split(';')
  return { email: email ?? '', scope: scope.join('/'), date, headers, signature }
}

/** `host` must be signed, and so must every `x-goog-*` header that came. */
function checkHeaders(call: Call, signed: Signed): void {
  if (!signed.headers.includes('host')) {
    throw new StorageError('malformedHeader', 'The header host must be signed.')
  }
  const names = Object.keys(call.req.headers).filter((name) => name.startsWith('x-goog-'))
  const unsigned = names.find((name) => !signed.headers.includes(name))
  if (unsigned) {
    throw new StorageError('malformedHeader', `The header ${unsigned} came but is not signed.`)
  }
}

const trimmed = (value: string) => value.trim().replace(/\s+/g, ' ')

function canonicalRequest(call: Call, method: string, host: string, signed: Signed): string {
  const path = call.path.split('/').map((part) => percent(decodeSegment(part)))
  const query = [...call.query]
    .filter(([name]) => name !== 'X-Goog-Signature')
    .map(([name, value]) => `${percent(name)}=${percent(value)}`)
    .sort()
  const headers = signed.headers.map((name) => {
    const value = name === 'host' ? host : trimmed(header(call, name) ?? '')
    return `${name}:${value}\n`
  })
  return [
    method,
    path.join('/'),
    query.join('&'),
    headers.join(''),
    signed.headers.join(';'),
    header(call, 'x-goog-content-sha256') ?? 'UNSIGNED-PAYLOAD',
  ].join('\n')
}

/**
 * Checks the signature of a request on the XML side, all of it: algorithm, time, signer, signed
 * headers, RSA over the canonical request. 403 without or with a wrong one, 400 where it has
 * expired or is malformed. An address signed for GET also serves HEAD. The client library signs
 * the host without its port, others with it: both are taken.
 */
export function checkSignature(call: Call, nowMs: number): void {
  if (!call.query.has('X-Goog-Signature')) throw denied('Anonymous caller: sign the address (V4).')
  checkTime(call.query, nowMs)
  const signed = readSigned(call.query)
  const key = call.cloud.signers.get(signed.email)
  if (key === undefined) throw denied(`Unknown signer: ${signed.email}`)
  checkHeaders(call, signed)
  const host = header(call, 'host') ?? ''
  const hosts = [host.replace(/:\d+$/, ''), host]
  const methods = call.method === 'HEAD' ? ['HEAD', 'GET'] : [call.method]
  const isSigned = methods.some((method) =>
    hosts.some((each) => {
      const hash = createHash('sha256').update(canonicalRequest(call, method, each, signed))
      const text = [ALGORITHM, signed.date, signed.scope, hash.digest('hex')].join('\n')
      return verify('RSA-SHA256', Buffer.from(text), key, signed.signature)
    }),
  )
  if (isSigned) return
  throw new StorageError('signature', 'The signature does not match the request.')
}
