import { type Call, sendJson } from './call.ts'
import { StorageError } from './errors.ts'
import { requireBucket } from './insert.ts'
import type { StoredObject } from './object-rows.ts'
import { parseInteger } from './preconditions.ts'
import { objectResource } from './resource.ts'

const MAX_PAGE = 1000
/** Would change the answer; ignoring them would give a wrong one. */
const UNIMPLEMENTED = ['matchGlob', 'softDeleted', 'filter', 'includeTrailingDelimiter']

type Page = { items: StoredObject[]; prefixes: string[]; nextStart?: string }

type Wanted = {
  prefix: string
  delimiter: string
  /** First name that may stand on this page. */
  start: string
  /** First name that may not; empty means no end. */
  end: string
  most: number
}

/**
 * The smallest string behind all strings that start with `prefix`, in the order of code points;
 * undefined where there is none. UTF-8 bytes order alike.
 */
export function successor(prefix: string): string | undefined {
  const points = [...prefix]
  while (points.length > 0) {
    const last = points.pop()?.codePointAt(0) ?? 0
    if (last === 0x10ffff) continue
    // The code points between are surrogates, which no well-formed name holds.
    return points.join('') + String.fromCodePoint(last === 0xd7ff ? 0xe000 : last + 1)
  }
  return undefined
}

/** Compares as UTF-8 bytes do; plain `<` compares UTF-16 units. */
const isBefore = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0
const later = (a: string, b: string) => (isBefore(a, b) ? b : a)

const encodeToken = (start: string) => Buffer.from(start).toString('base64url')

function decodeToken(token: string): string {
  const start = Buffer.from(token, 'base64url').toString()
  if (encodeToken(start) !== token) throw new StorageError('invalid', 'Invalid pageToken.')
  return start
}

function readWanted(query: URLSearchParams): Wanted {
  const unimplemented = UNIMPLEMENTED.find((each) => query.has(each))
  if (unimplemented) throw new StorageError('unimplemented', `${unimplemented} is not here.`)
  const prefix = query.get('prefix') ?? ''
  const asked = query.get('maxResults')
  const most = asked === null ? MAX_PAGE : parseInteger('maxResults', asked)
  if (most < 1) throw new StorageError('invalid', 'maxResults must be at least 1.')
  const token = query.get('pageToken')
  const from = later(prefix, query.get('startOffset') ?? '')
  return {
    prefix,
    delimiter: query.get('delimiter') ?? '',
    start: token ? later(from, decodeToken(token)) : from,
    end: query.get('endOffset') ?? '',
    most: Math.min(most, MAX_PAGE),
  }
}

/** The prefix under which a name is folded, if it is: up to the first delimiter behind `prefix`. */
function folderOf(name: string, { prefix, delimiter }: Wanted) {
  const at = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length)
  return at < 0 ? undefined : name.slice(0, at + delimiter.length)
}

/**
 * One page. Each folder costs one look-up and is jumped over, so a million objects below a prefix
 * cost no more than one.
 */
function readPage(call: Call, bucket: string, wanted: Wanted): Page {
  const page: Page = { items: [], prefixes: [] }
  let start: string | undefined = wanted.start
  while (start !== undefined) start = readUntilFolder(call, bucket, { ...wanted, start }, page)
  return page
}

/** Reads items up to the first folder; gives where to go on, or undefined at the end of the page. */
function readUntilFolder(call: Call, bucket: string, wanted: Wanted, page: Page) {
  for (const object of call.cloud.objects.rows.walk(bucket, wanted.start)) {
    if (isBehind(object.name, wanted)) return undefined
    if (page.items.length + page.prefixes.length === wanted.most) {
      page.nextStart = object.name
      return undefined
    }
    const folder = folderOf(object.name, wanted)
    if (folder !== undefined) {
      page.prefixes.push(folder)
      return successor(folder)
    }
    page.items.push(object)
  }
  return undefined
}

const isBehind = (name: string, { prefix, end }: Wanted) =>
  (end !== '' && !isBefore(name, end)) || !name.startsWith(prefix)

/** `GET …/b/{bucket}/o`: items and prefixes in the order of UTF-8 bytes, together `maxResults`. */
export function listObjects(call: Call, bucket: string): void {
  requireBucket(call, bucket)
  const { items, prefixes, nextStart } = readPage(call, bucket, readWanted(call.query))
  sendJson(call, 200, {
    kind: 'storage#objects',
    ...(nextStart === undefined ? {} : { nextPageToken: encodeToken(nextStart) }),
    ...(prefixes.length === 0 ? {} : { prefixes }),
    ...(items.length === 0 ? {} : { items: items.map((each) => objectResource(each, call.base)) }),
  })
}
