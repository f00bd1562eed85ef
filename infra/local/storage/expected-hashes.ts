import { type Call, header } from './call.ts'
import { StorageError } from './errors.ts'
import type { Digest } from './hashes.ts'
import { type JsonObject, optionalText } from './json.ts'
import type { ExpectedHashes } from './session-rows.ts'

/** Checksums announced in an object resource. */
export function hashesOfResource(resource: JsonObject): ExpectedHashes {
  const md5 = optionalText(resource, 'md5Hash')
  const crc = optionalText(resource, 'crc32c')
  return { ...(md5 ? { md5 } : {}), ...(crc ? { crc32c: crc } : {}) }
}

/** Checksums announced by `x-goog-hash: crc32c=…,md5=…` or `Content-MD5`. */
export function hashesOfHeaders(call: Call): ExpectedHashes {
  const expected: ExpectedHashes = {}
  const contentMd5 = header(call, 'content-md5')
  if (contentMd5 !== undefined) expected.md5 = contentMd5.trim()
  for (const part of (header(call, 'x-goog-hash') ?? '').split(',')) {
    const [kind, ...value] = part.trim().split('=')
    if (kind === 'md5') expected.md5 = value.join('=')
    if (kind === 'crc32c') expected.crc32c = value.join('=')
  }
  return expected
}

/** 400 where the bytes are not those that were announced. */
export function checkHashes(digest: Digest, expected: ExpectedHashes): void {
  for (const kind of ['crc32c', 'md5'] as const) {
    const wanted = expected[kind]
    if (wanted === undefined || wanted === digest[kind]) continue
    throw new StorageError(
      'badDigest',
      `Provided ${kind} hash '${wanted}' doesn't match calculated ${kind} hash '${digest[kind]}'.`,
    )
  }
}
